import { IvcapError } from '../model/errors.js'
import { show } from '../model/urn.js'
import { Aspect } from './aspect.js'
import { type AspectInput, aspectDraft, aspectQuery, type ListAspectsOptions } from './aspect-input.js'
import type { Context } from './context.js'
import { type Listing, listing } from './listing.js'
import { type CallOptions, perform } from './operation.js'

/** How many requests `addAspects` has under way at once, unless told. */
const CONCURRENCY = 16

export interface AddManyOptions extends CallOptions {
  /** How many are under way at once; default 16. */
  readonly concurrency?: number | undefined
}

/** Arguments are checked now; nothing is fetched before the first item is asked for. */
export function listAspects(context: Context, operation: string, o: ListAspectsOptions): Listing<Aspect> {
  const { limit, ...query } = aspectQuery(o)
  return listing(
    limit,
    (page) => perform(context, operation, o, (op) => context.backend.aspects.list({ ...query, ...page }, op)),
    (record) => new Aspect(context, record, false),
  )
}

export async function assertAspect(
  context: Context,
  operation: 'addAspect' | 'updateAspect',
  input: AspectInput,
  o: CallOptions,
): Promise<Aspect> {
  const draft = aspectDraft(input)
  const mode = operation === 'addAspect' ? 'add' : 'replace'
  const record = await perform(context, operation, o, (op) => context.backend.aspects.assert(draft, mode, op))
  return new Aspect(context, { ...record, content: draft.content }, record.validFrom !== undefined)
}

/** In the order of the input. The first failure ends it: none is begun after it, those under way are waited for. */
export async function addAspects(
  context: Context,
  inputs: Iterable<AspectInput> | AsyncIterable<AspectInput>,
  o: AddManyOptions,
): Promise<Aspect[]> {
  const queue = numbered(inputs)
  const added: Aspect[] = []
  let failed = false
  const worker = async () => {
    for await (const [i, input] of { [Symbol.asyncIterator]: () => ({ next: () => queue.next() }) }) {
      if (failed) return
      const draft = aspectDraft(input, `aspects[${i}].`)
      const record = await perform(context, 'addAspects', o, (op) =>
        context.backend.aspects.assert(draft, 'add', op),
      )
      added[i] = new Aspect(context, { ...record, content: draft.content }, record.validFrom !== undefined)
    }
  }
  const workers = Array.from({ length: checkConcurrency(o.concurrency ?? CONCURRENCY) }, () =>
    worker().catch((error: unknown) => {
      failed = true
      throw error
    }),
  )
  const outcomes = await Promise.allSettled(workers)
  await queue.return()
  const failure = outcomes.find((outcome) => outcome.status === 'rejected')
  if (failure !== undefined) throw failure.reason
  return added
}

async function* numbered<T>(
  items: Iterable<T> | AsyncIterable<T>,
): AsyncGenerator<[number, T], void, undefined> {
  let i = 0
  for await (const item of items) yield [i++, item]
}

function checkConcurrency(concurrency: number): number {
  if (Number.isSafeInteger(concurrency) && concurrency > 0) return concurrency
  const message = `concurrency must be a whole number from 1, not ${show(concurrency)}`
  throw new IvcapError('invalid-argument', message, { argument: 'concurrency' })
}
