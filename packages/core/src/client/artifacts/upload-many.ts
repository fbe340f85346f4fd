import { type IvcapError, isIvcapError } from '../../model/errors.js'
import { omitUndefined } from '../../model/omit-undefined.js'
import { checkOptions, type OptionNames } from '../../model/options.js'
import { concurrently, type Items } from '../concurrently.js'
import { UPLOAD_OPTIONS, type UploadOptions } from './upload.js'

/** Default number of concurrent uploads. */
const CONCURRENCY = 8

/** The options of one of many uploads. The signal is shared by all of them. */
export type UploadInput = Omit<UploadOptions, 'signal'>

export interface UploadManyOptions<A> {
  /** Maximum number of concurrent uploads. @default 8 */
  readonly concurrency?: number | undefined
  /** Cancels all uploads that have not ended, even while the input is pending. */
  readonly signal?: AbortSignal | undefined
  /**
   * Receives each outcome as soon as it is known, with its index in the input (from 0). The returned array is then empty, which
   * allows an endless input. The worker awaits the returned promise before its next upload. If the callback throws, all uploads
   * end.
   */
  readonly onOutcome?: ((outcome: UploadOutcome<A>, i: number) => void | Promise<void>) | undefined
}

const UPLOAD_MANY_OPTIONS: OptionNames<UploadManyOptions<unknown>> = {
  concurrency: true,
  signal: true,
  onOutcome: true,
}

/** The outcome of one upload: an artifact or an error. */
export type UploadOutcome<A> =
  | { readonly artifact: A; readonly error?: undefined }
  | { readonly artifact?: undefined; readonly error: IvcapError }

/** Outcomes are in input order. A failed upload does not affect the others; only an abort or a failing input ends all. */
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
