import type { AspectRecord, Backend } from '@ivcap/core/driver'
import { allArtifacts, download } from '../support/artifacts.js'
import { allAspects } from '../support/aspects.js'
import type { History } from './history.js'
import { ADDED, ENTITIES, mayBecome, textOf, UPDATED, uploadOf, type WorkloadOptions } from './workload.js'

/** Compares the store with the history of the writers. Returns one sentence for each difference. */
export async function checkHistory(
  backend: Backend,
  history: History,
  o: WorkloadOptions = {},
): Promise<readonly string[]> {
  const records = await known(backend, history)
  return [
    ...(await ofArtifacts(backend, history, o)),
    ...ofRecords(records, history),
    ...ofHistory(records, history),
    ...(await ofLists(backend, history)),
  ]
}

async function ofArtifacts(backend: Backend, history: History, { partSize }: WorkloadOptions) {
  const problems: string[] = []
  const visible = await allArtifacts(backend)
  const ids = new Set(visible.map(({ id }) => id))
  for (const id of history.artifacts.keys()) if (!ids.has(id)) problems.push(`the acknowledged ${id} is lost`)
  const found = new Set<number>()
  for (const { id } of visible) {
    const bytes = await download(backend, id).catch((error: unknown) => {
      problems.push(`${id} can't be read: ${error}`)
    })
    if (bytes === undefined) continue
    const n = uploadOf(bytes, partSize)
    if (n === undefined || !history.uploads.has(n)) {
      problems.push(`${id} is torn, or nobody's`)
      continue
    }
    if (found.has(n)) problems.push(`the bytes of upload ${n} are there twice`)
    found.add(n)
    const acknowledged = history.artifacts.get(id)
    if (acknowledged !== undefined && !mayBecome(id, acknowledged, n))
      problems.push(`${id} has the bytes of another`)
  }
  return problems
}

type Known = ReadonlyMap<string, AspectRecord | undefined>

/** Returns the records of all acknowledged aspects, by id. */
async function known({ aspects }: Backend, history: History): Promise<Known> {
  const records = new Map<string, AspectRecord | undefined>()
  for (const id of history.aspects.keys()) records.set(id, await aspects.get(id, {}).catch(() => undefined))
  return records
}

function ofRecords(records: Known, history: History): readonly string[] {
  const problems: string[] = []
  for (const [id, { n }] of history.aspects) {
    const record = records.get(id)
    if (record === undefined) problems.push(`the acknowledged ${id} is lost`)
    else if (record.content?.['n'] !== n) problems.push(`${id} says something else`)
    else if (history.retracted.has(id) && record.validTo === undefined)
      problems.push(`${id} is retracted, and has no end`)
  }
  return problems
}

/** Each update of an entity must end before the next one begins, even if the clocks were wrong. */
function ofHistory(records: Known, history: History): readonly string[] {
  const problems: string[] = []
  for (const entity of ENTITIES) {
    const updates = [...records.values()]
      .filter((r) => r !== undefined && history.aspects.get(r.id)?.schema === UPDATED && r.entity === entity)
      .flatMap((r) => r ?? [])
      .map((r) => ({ id: r.id, from: r.validFrom ?? '', to: r.validTo ?? '9999', replaces: r.replaces }))
      .sort((a, b) => (a.from < b.from ? -1 : 1))
    for (const [i, { id, from, to }] of updates.entries()) {
      const next = updates[i + 1]
      if (to < from) problems.push(`${id} ends before it begins`)
      if (next !== undefined && next.from < to) problems.push(`${id} and ${next.id} are current together`)
      // A retraction may end a record at exactly the time at which the next one begins.
      if (next?.from === to && !history.retractions.has(id) && next.replaces !== id)
        problems.push(`${next.id} took the place of ${id}, and says that it replaces ${next.replaces}`)
    }
  }
  return problems
}

async function ofLists(backend: Backend, history: History): Promise<readonly string[]> {
  const problems: string[] = []
  for (const entity of ENTITIES) {
    const updated = await allAspects(backend, { entity, schema: UPDATED })
    const added = await allAspects(backend, { entity, schema: ADDED })
    problems.push(...ofCurrent(updated, history), ...ofCurrent(added, history))
    if (updated.length > 1) problems.push(`${updated.length} records of ${entity} are current after updates`)
    const listed = new Set(added.map(({ id }) => id))
    const own = [...history.aspects].filter(([, a]) => a.entity === entity)
    for (const [id, { schema }] of own) {
      const kept = schema === ADDED && !history.retractions.has(id)
      if (kept && !listed.has(id)) problems.push(`the added ${id} is in no list`)
    }
    const updates = own.filter(([, { schema }]) => schema === UPDATED)
    const untouched = updates.length > 0 && updates.every(([id]) => !history.retractions.has(id))
    if (untouched && updated.length === 0) problems.push(`no record of ${entity} is current after updates`)
  }
  return problems
}

function ofCurrent(records: readonly AspectRecord[], history: History): readonly string[] {
  const problems: string[] = []
  const found = new Set<unknown>()
  for (const { id, entity, schema, content } of records) {
    const n = content?.['n']
    const tried = typeof n === 'number' ? history.assertions.get(n) : undefined
    const whole = tried !== undefined && content?.['text'] === textOf(tried.n)
    if (!whole || tried.entity !== entity || tried.schema !== schema)
      problems.push(`${id} is torn, or nobody's`)
    if (found.has(n)) problems.push(`record ${n} is there twice`)
    found.add(n)
    if (history.retracted.has(id)) problems.push(`${id} is retracted, and current`)
  }
  return problems
}
