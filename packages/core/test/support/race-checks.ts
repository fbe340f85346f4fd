/** What must hold after any race, whatever happened in it. */
import { isIvcapError } from '../../src/model/errors.js'
import type { AspectRecord } from '../../src/model/records.js'
import { micros, type Timestamp, timestamp } from '../../src/model/time.js'
import type { Urn } from '../../src/model/urn.js'
import type { AspectQuery } from '../../src/ports/index.js'
import { inForce } from '../../src/rules/aspects.js'
import { type Call, ENTITY, listAll, type Race, SCHEMAS } from './race.js'

/** What is there by id, which is what everything else is compared with. */
interface Truth {
  readonly records: readonly AspectRecord[]
  readonly updates: ReadonlySet<string>
}

/**
 * Throws when something is lost, doubled, or seen that should not be. `thorough`: asked in more ways, and at all times in
 * the past.
 */
export async function checkRace(race: Race, thorough: boolean): Promise<void> {
  const truth = await readAll(race)
  checkAcknowledged(race, truth)
  checkUpdates(truth)
  for (const call of race.calls) checkListed(race, truth, call)
  await checkListings(race, truth, thorough ? QUERIES : QUERIES.slice(0, 2))
  if (thorough) for (const at of moments(truth)) await checkListings(race, truth, QUERIES, at)
  // where nothing went wrong, nothing is left behind
  if (thorough || race.weather === 'rough') await checkRecovery(race)
}

async function readAll({ calls, later }: Race): Promise<Truth> {
  const records: AspectRecord[] = []
  const updates = new Set<string>()
  for (const { kind, ids } of calls) {
    if (kind !== 'add' && kind !== 'replace') continue
    for (const id of ids) {
      const record = await later.get(id, {}).catch(notFound)
      if (record !== undefined) records.push(record)
      if (kind === 'replace') updates.add(id)
    }
  }
  return { records, updates }
}

function notFound(error: unknown): undefined {
  if (!isIvcapError(error, 'not-found')) throw error
}

/** Every acknowledged record is there, and closed only by those who may close it. */
function checkAcknowledged({ calls }: Race, { records, updates }: Truth): void {
  const byId = new Map(records.map((record) => [record.id, record]))
  const begun = new Set(records.filter(({ id }) => updates.has(id)).map(({ validFrom }) => validFrom))
  const retracted = new Set(calls.map(({ target }) => target))
  for (const { record, kind, n, target, acknowledged } of calls) {
    if (kind === 'retract' && acknowledged !== undefined && target !== undefined)
      expect(byId.get(target)?.validTo !== undefined, `${target} was retracted, and is open`)
    if (record === undefined) continue
    const found = byId.get(record.id)
    expect(found !== undefined, `${record.id} was acknowledged, and is lost`)
    expect(found?.content?.['n'] === n, `${record.id} is not what was written`)
    expect(found?.validFrom === record.validFrom, `${record.id} began at another time`)
    if (found?.validTo === undefined || retracted.has(record.id)) continue
    expect(begun.has(found.validTo), `${record.id} was closed by nobody`)
  }
}

/** Of updates at most one is in force at any time; each begins after the one before. */
function checkUpdates({ records, updates }: Truth): void {
  for (const schema of SCHEMAS) {
    const log = records.filter((r) => r.schema === schema && updates.has(r.id)).sort(byBeginning)
    for (const [i, { id, validFrom = '', validTo }] of log.entries()) {
      const next = log[i + 1]?.validFrom
      expect(next === undefined || next > validFrom, `${id} and the next begin at the same time`)
      expect(
        next === undefined || (validTo !== undefined && validTo <= next),
        `${id} is current beside the next`,
      )
      expect(validTo === undefined || validTo > validFrom, `${id} was never in force`)
    }
  }
}

/** What was listed while the race went on. */
function checkListed(
  { calls }: Race,
  { records, updates }: Truth,
  { listed, began, query = {} }: Call,
): void {
  if (listed === undefined) return
  const committed = new Set(records.map(({ id }) => id))
  for (const { id } of listed) expect(committed.has(id), `${id} was listed, and nobody committed it`)
  expect(new Set(listed.map(({ id }) => id)).size === listed.length, 'a record was listed twice')
  const over = calls.filter(({ acknowledged }) => acknowledged !== undefined && acknowledged < began)
  const listedIds = new Set(listed.map(({ id }) => id))
  for (const { kind, target } of over)
    expect(
      kind !== 'retract' || !listedIds.has(target ?? 'urn:'),
      `${target} was listed after its retraction`,
    )
  for (const schema of SCHEMAS) {
    const shown = listed.filter((r) => r.schema === schema && updates.has(r.id))
    expect(shown.length <= 1, `${shown.length} updates of ${schema} were listed as current`)
    const last = over
      .flatMap(({ kind, record }) => (kind === 'replace' && record?.schema === schema ? [record] : []))
      .sort(byBeginning)
      .at(-1)
    if (last === undefined) continue
    expect(
      shown.every(({ validFrom = '' }) => validFrom >= (last.validFrom ?? '')),
      `an update was listed after ${last.id} had replaced it`,
    )
    const retracted = calls.some(({ kind, target }) => kind === 'retract' && updates.has(target ?? ''))
    if (query.entity === undefined || query.schema !== schema || retracted) continue
    expect(shown.length === 1, `no update of ${schema} was listed, though ${last.id} was there`)
  }
}

const QUERIES: readonly Partial<AspectQuery>[] = [
  { entity: ENTITY, schema: SCHEMAS[0] ?? '' },
  {},
  { entity: ENTITY, schema: SCHEMAS[1] ?? '' },
  { entity: ENTITY, limit: 2 },
  { schema: SCHEMAS[0] ?? '' },
  { schema: 'urn:test:%' },
]

/** The indexes say the same as the records, now or at a time. */
async function checkListings(
  { later }: Race,
  { records }: Truth,
  queries: readonly Partial<AspectQuery>[],
  at?: Timestamp,
): Promise<void> {
  for (const q of queries) {
    const expected = records
      .filter(
        (r) => (q.schema === undefined || q.schema.endsWith('%') || q.schema === r.schema) && inForce(r, at),
      )
      .sort(byBeginning)
      .reverse()
    let found = await listAll(later, at === undefined ? q : { ...q, atTime: at })
    // later pages look at the reader's time: with clocks apart, what was closed in its future is still in force there
    const more = q.limit !== undefined && at === undefined
    if (more) found = found.filter((r) => r.validTo === undefined)
    const what = `${JSON.stringify(q)} at ${at ?? 'no time'}`
    expect(ids(found) === ids(expected), `${what} lists ${ids(found)}, not ${ids(expected)}`)
    const ends = (list: readonly AspectRecord[]) => list.map(({ validTo }) => validTo).join()
    expect(ends(found) === ends(expected), `${what} tells other ends: ${ends(found)}, not ${ends(expected)}`)
  }
}

/** Whatever was left behind, the next update is the one that is current, and the only one, everywhere. */
async function checkRecovery({ later, calls }: Race): Promise<void> {
  const schema = SCHEMAS[0] ?? ''
  const draft = { entity: ENTITY, schema, content: { $schema: schema, n: calls.length } }
  const { id } = await later.assert(draft, 'replace', {})
  const found = await listAll(later, { schema })
  expect(ids(found) === id, `after one more update, ${ids(found)} are listed, not ${id}`)
}

function moments({ records }: Truth): readonly Timestamp[] {
  const times = records
    .flatMap(({ validFrom, validTo }) => [validFrom, validTo])
    .filter((t) => t !== undefined)
  return [...new Set(times.flatMap((time) => [time, timestamp(micros(time) - 1)]))]
}

const ids = (records: readonly { readonly id: Urn }[]): string => records.map(({ id }) => id).join()

function byBeginning(a: AspectRecord, b: AspectRecord): number {
  const [x, y] = [a, b].map(({ validFrom, id }) => `${validFrom} ${id}`)
  return x !== undefined && y !== undefined && x < y ? -1 : 1
}

function expect(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise)
}
