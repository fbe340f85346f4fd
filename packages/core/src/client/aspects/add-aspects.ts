import { IvcapError } from '../../model/errors.js'
import { omitUndefined } from '../../model/omit-undefined.js'
import { checkOptions, type OptionNames } from '../../model/options.js'
import type { AspectDraft, AspectStore, OpOptions } from '../../ports/index.js'
import { checkConcurrency, concurrently, type Items } from '../concurrently.js'
import type { Context } from '../context.js'
import { CALL_OPTIONS, type CallOptions, perform } from '../operation.js'
import type { Aspect } from './aspect.js'
import { ASPECT_INPUT_OPTIONS, type AspectInput, aspectDraft } from './aspect-input.js'
import { aspectHandle } from './aspects.js'

/** Default number of concurrent requests. */
const CONCURRENCY = 16
/** Number of aspects in one call of `assertMany`. */
const BATCH = 256

export interface AddManyOptions extends CallOptions {
  /** Maximum number of concurrent requests. Ignored by a store that accepts many aspects in one call. @default 16 */
  readonly concurrency?: number | undefined
  /**
   * Milliseconds for the whole call, including the time to wait for the input.
   *
   * @default no limit: the client's `timeout` then bounds each request
   */
  readonly timeout?: number | undefined
  /**
   * Receives each aspect as soon as it is added, with its index in the input (from 0). The returned array is then empty, which
   * allows an endless input.
   */
  readonly onAdded?: ((aspect: Aspect, i: number) => void | Promise<void>) | undefined
}

const ADD_MANY_OPTIONS: OptionNames<AddManyOptions> = {
  concurrency: true,
  onAdded: true,
  ...CALL_OPTIONS,
}

type Keep = (aspect: Aspect, i: number) => void | Promise<void>

/** Results are in input order. After the first failure no new request is started; those in progress are awaited. */
export async function addAspects(
  context: Context,
  inputs: Items<AspectInput>,
  options: AddManyOptions,
): Promise<Aspect[]> {
  const o = checkOptions(options, ADD_MANY_OPTIONS, 'addAspects')
  const results: Aspect[] = []
  const keep: Keep =
    o.onAdded ??
    ((aspect, i) => {
      results[i] = aspect
    })
  const { signal, timeout = Number.POSITIVE_INFINITY } = o
  await perform(context, 'addAspects', { signal, timeout }, (op) => {
    const concurrency = checkConcurrency(o.concurrency ?? CONCURRENCY)
    const { aspects } = context.backend
    if (aspects.assertMany !== undefined) return together(context, inputs, aspects.assertMany, keep, op)
    return concurrently(
      inputs,
      concurrency,
      async (input, i) => {
        const draft = draftOf(input, i)
        const record = await perform(context, 'addAspects', op, (each) => aspects.assert(draft, 'add', each))
        await keep(aspectHandle(context, record, draft), i)
      },
      op.signal,
    )
  })
  return results
}

async function together(
  context: Context,
  inputs: Items<AspectInput>,
  assertMany: NonNullable<AspectStore['assertMany']>,
  keep: Keep,
  op: OpOptions,
): Promise<void> {
  let count = 0
  let waiting: AspectDraft[] = []
  const store = async () => {
    const drafts = waiting
    waiting = []
    if (drafts.length === 0) return
    const records = await perform(context, 'addAspects', op, (each) => assertMany(drafts, each))
    for (const [i, draft] of drafts.entries()) {
      const record = records[i]
      if (record === undefined)
        throw new IvcapError('protocol', `the store answered ${records.length} of ${drafts.length}`)
      await keep(aspectHandle(context, record, draft), count++)
    }
  }
  try {
    const gather = async (input: AspectInput, i: number) => {
      waiting.push(draftOf(input, i))
      if (waiting.length === BATCH) await store()
    }
    await concurrently(inputs, 1, gather, op.signal)
  } finally {
    // adds the aspects before an invalid one, or before a failure of the input, but not after an abort
    if (!op.signal?.aborted) await store()
  }
}

function draftOf(input: AspectInput, i: number): AspectDraft {
  const checked = checkOptions(input, ASPECT_INPUT_OPTIONS, `aspects[${i}]`)
  return aspectDraft(omitUndefined(checked), `aspects[${i}].`)
}
