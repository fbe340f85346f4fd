import { IvcapError } from '../model/errors.js'
import type { AspectDraft, AspectStore } from '../ports.js'
import type { Aspect } from './aspect.js'
import { type AspectInput, aspectDraft } from './aspect-input.js'
import { added } from './aspects.js'
import { checkConcurrency, concurrently } from './concurrently.js'
import type { Context } from './context.js'
import { type CallOptions, perform } from './operation.js'

/** How many requests are under way at once, unless told. */
const CONCURRENCY = 16
/** Handed over together to a store that takes many. */
const BATCH = 256

export interface AddManyOptions extends CallOptions {
  /** How many are under way at once; default 16. A store that takes many together decides that itself. */
  readonly concurrency?: number | undefined
}

type Inputs = Iterable<AspectInput> | AsyncIterable<AspectInput>

/** In the order of the input. The first failure ends it: none is begun after it, those under way are waited for. */
export async function addAspects(context: Context, inputs: Inputs, o: AddManyOptions): Promise<Aspect[]> {
  const concurrency = checkConcurrency(o.concurrency ?? CONCURRENCY)
  const { aspects } = context.backend
  const results: Aspect[] = []
  if (aspects.assertMany !== undefined) {
    await together(context, inputs, o, aspects.assertMany, results)
    return results
  }
  await concurrently(inputs, concurrency, async (input, i) => {
    const draft = draftOf(input, i)
    const record = await perform(context, 'addAspects', o, (op) => aspects.assert(draft, 'add', op))
    results[i] = added(context, record, draft)
  })
  return results
}

async function together(
  context: Context,
  inputs: Inputs,
  o: AddManyOptions,
  assertMany: NonNullable<AspectStore['assertMany']>,
  results: Aspect[],
): Promise<void> {
  let waiting: AspectDraft[] = []
  const store = async () => {
    const drafts = waiting
    waiting = []
    if (drafts.length === 0) return
    const records = await perform(context, 'addAspects', o, (op) => assertMany(drafts, op))
    for (const [i, draft] of drafts.entries()) {
      const record = records[i]
      if (record === undefined)
        throw new IvcapError('protocol', `the store answered ${records.length} of ${drafts.length}`)
      results.push(added(context, record, draft))
    }
  }
  o.signal?.throwIfAborted()
  try {
    let i = 0
    for await (const input of inputs) {
      waiting.push(draftOf(input, i++))
      if (waiting.length === BATCH) await store()
    }
  } finally {
    // a wrong one, or an input that fails, keeps none of those before it from being added
    await store()
  }
}

const draftOf = (input: AspectInput, i: number): AspectDraft => aspectDraft(input, `aspects[${i}].`)
