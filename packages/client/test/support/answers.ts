import { type AspectQuery, type AspectRecord, type Backend, isIvcapError, type Urn } from '@ivcap/core/driver'

export type Step =
  | { readonly kind: 'add' | 'update'; readonly entity: string; readonly schema: string; readonly n: number }
  /** Of the record that an earlier step made. */
  | { readonly kind: 'retract'; readonly step: number }
  | { readonly kind: 'list'; readonly query: Query }

/** `at`: as of just when the record of that step began. `between`: what is written between the pages. */
export type Query = Pick<AspectQuery, 'orderBy' | 'orderDirection' | 'limit'> &
  Partial<Pick<AspectQuery, 'entity' | 'schema' | 'filter' | 'contentPath'>> & {
    readonly at?: number
    readonly between?: Extract<Step, { kind: 'add' | 'update' }>
  }

/**
 * What a backend answers to the steps, in words that are the same for all: records go by the number of the step that made
 * them, since ids and times are each backend's own.
 */
export async function answersOf({ aspects }: Backend, steps: readonly Step[]): Promise<readonly unknown[]> {
  const made = new Map<number, { readonly id: Urn; readonly validFrom: string }>()
  const numbers = new Map<string, number>()

  const write = async (n: number, step: Extract<Step, { kind: 'add' | 'update' }>) => {
    const { entity, schema } = step
    const content = { $schema: schema, n: step.n, even: step.n % 2 === 0, tags: [`t${step.n % 3}`, 'all'] }
    const mode = step.kind === 'add' ? 'add' : 'replace'
    const { id } = await aspects.assert({ entity, schema, content }, mode, {})
    const { validFrom = '' } = await aspects.get(id, {})
    made.set(n, { id, validFrom })
    numbers.set(id, n)
  }
  const list = async ({ at, between, ...query }: Query, n: number) => {
    const then = at === undefined ? undefined : made.get(at)?.validFrom
    const seen: AspectRecord[] = []
    let cursor: string | undefined
    for (let page = 0; page === 0 || cursor !== undefined; page++) {
      const rest = { ...(then !== undefined && { atTime: then }), ...(cursor !== undefined && { cursor }) }
      const found = await aspects.list({ includeContent: true, ...query, ...rest }, {})
      seen.push(...found.items)
      cursor = found.cursor
      if (page === 0 && between !== undefined) await write(n, between)
    }
    return seen.map(({ id, entity, schema, content }) => ({ step: numbers.get(id), entity, schema, content }))
  }

  const answers: unknown[] = []
  for (const [n, step] of steps.entries()) {
    if (step.kind === 'list') answers.push(await list(step.query, n))
    else if (step.kind === 'retract') answers.push(await outcome(aspects.retract(idOf(made, step.step), {})))
    else await write(n, step)
  }
  for (const [n, { id }] of made) {
    const { validTo, replaces } = await aspects.get(id, {})
    answers.push({ step: n, closed: validTo !== undefined, replaces: replaces && numbers.get(replaces) })
  }
  return answers
}

/** Nobody has made it: an answer, too. */
const NOBODY: Urn = 'urn:ivcap:aspect:00000000-0000-4000-8000-000000000000'

const idOf = (made: ReadonlyMap<number, { readonly id: Urn }>, step: number): Urn =>
  made.get(step)?.id ?? NOBODY

async function outcome(work: Promise<unknown>): Promise<string> {
  try {
    await work
    return 'done'
  } catch (error) {
    if (isIvcapError(error)) return error.code
    throw error
  }
}
