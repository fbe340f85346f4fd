import { type IvcapError, isIvcapError } from '../model/errors.js'
import { concurrently } from './concurrently.js'
import type { UploadOptions } from './upload.js'

/** How many uploads are under way at once, unless told. */
const CONCURRENCY = 8

/** One of many uploads; the signal is that of all of them. */
export type UploadInput = Omit<UploadOptions, 'signal'>

export interface UploadManyOptions {
  /** How many are under way at once; default 8. */
  readonly concurrency?: number | undefined
  /** Cancels all that are not done yet. */
  readonly signal?: AbortSignal | undefined
}

/** What became of one upload: an artifact, or an error. */
export type UploadOutcome<A> =
  | { readonly artifact: A; readonly error?: undefined }
  | { readonly artifact?: undefined; readonly error: IvcapError }

/** In the order of the input. A failure is that upload's own; only an abort, or an input that fails, ends all. */
export async function uploadMany<A>(
  uploads: Iterable<UploadInput> | AsyncIterable<UploadInput>,
  { concurrency = CONCURRENCY, signal }: UploadManyOptions,
  upload: (o: UploadOptions) => Promise<A>,
): Promise<UploadOutcome<A>[]> {
  signal?.throwIfAborted()
  const outcomes: UploadOutcome<A>[] = []
  await concurrently(uploads, concurrency, async (input, i) => {
    try {
      outcomes[i] = { artifact: await upload({ ...input, signal }) }
    } catch (error) {
      if (signal?.aborted || !isIvcapError(error)) throw error
      outcomes[i] = { error }
    }
  })
  return outcomes
}
