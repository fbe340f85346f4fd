import { type IvcapError, isIvcapError } from '../../model/errors.js'
import { omitUndefined } from '../../model/omit-undefined.js'
import { checkOptions, type OptionNames } from '../../model/options.js'
import { concurrently, type Items } from '../concurrently.js'
import { UPLOAD_OPTIONS, type UploadOptions } from './upload.js'

/** How many uploads are under way at once, unless told. */
const CONCURRENCY = 8

/** One of many uploads; the signal is that of all of them. */
export type UploadInput = Omit<UploadOptions, 'signal'>

export interface UploadManyOptions<A> {
  /** How many are under way at once. @default 8 */
  readonly concurrency?: number | undefined
  /** Cancels all that are not done yet, also while the input waits. */
  readonly signal?: AbortSignal | undefined
  /**
   * Gets each outcome as it comes, with its number in the input from 0, instead of the result, which is empty then: for an input
   * without an end. The next upload of the same worker waits for the promise that it returns; what it throws ends all.
   */
  readonly onOutcome?: ((outcome: UploadOutcome<A>, i: number) => void | Promise<void>) | undefined
}

const UPLOAD_MANY_OPTIONS: OptionNames<UploadManyOptions<unknown>> = {
  concurrency: true,
  signal: true,
  onOutcome: true,
}

/** What became of one upload: an artifact, or an error. */
export type UploadOutcome<A> =
  | { readonly artifact: A; readonly error?: undefined }
  | { readonly artifact?: undefined; readonly error: IvcapError }

/** In the order of the input. A failure is that upload's own; only an abort, or an input that fails, ends all. */
export async function uploadMany<A>(
  uploads: Items<UploadInput>,
  o: UploadManyOptions<A>,
  upload: (o: UploadOptions) => Promise<A>,
): Promise<UploadOutcome<A>[]> {
  const {
    concurrency = CONCURRENCY,
    signal,
    onOutcome,
  } = checkOptions(o, UPLOAD_MANY_OPTIONS, 'uploadArtifacts')
  signal?.throwIfAborted()
  const outcomes: UploadOutcome<A>[] = []
  const outcomeOf = async (input: UploadInput): Promise<UploadOutcome<A>> => {
    try {
      const checked = checkOptions<UploadOptions>(input, UPLOAD_OPTIONS, 'uploadArtifact')
      return { artifact: await upload({ ...checked, ...omitUndefined({ signal }) }) }
    } catch (error) {
      if (signal?.aborted || !isIvcapError(error)) throw error
      return { error }
    }
  }
  const run = async (input: UploadInput, i: number) => {
    const outcome = await outcomeOf(input)
    if (onOutcome === undefined) outcomes[i] = outcome
    else await onOutcome(outcome, i)
  }
  await concurrently(uploads, concurrency, run, signal)
  return outcomes
}
