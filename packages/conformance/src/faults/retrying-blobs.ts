import {
  type BlobContent,
  type BlobStore,
  type ByteSource,
  type OpOptions,
  opOptions,
  retry,
} from '@ivcap/core/driver'

const RETRIES = 5

/**
 * Wraps a blob store and retries what is safe to retry, as drivers of real stores do: reads, listings, deletions and overwrites.
 * A body that breaks off is resumed at its offset. A creation that may have taken effect, or a stream that was started, is not
 * retried: the caller must handle its error.
 */
export function retryingBlobs(blobs: BlobStore): BlobStore {
  const patiently = <T>(run: () => Promise<T>, o: OpOptions): Promise<T> =>
    retry(run, { ...opOptions(o), retries: RETRIES, retryDelay: 0 })
  return {
    ...blobs,
    head: (key, o) => patiently(() => blobs.head(key, o), o),
    list: (q, o) => patiently(() => blobs.list(q, o), o),
    delete: (key, o) => patiently(() => blobs.delete(key, o), o),
    async put(key, body, o) {
      let begun = false
      const watched: ByteSource = {
        ...body,
        open(part) {
          begun = true
          return body.open(part)
        },
      }
      const repeatable = () => !begun || (o.mode === 'overwrite' && body.replayable)
      const attempt = async () => {
        try {
          return { info: await blobs.put(key, watched, o) }
        } catch (error) {
          if (repeatable()) throw error
          return { error }
        }
      }
      const outcome = await patiently(attempt, o)
      if ('error' in outcome) throw outcome.error
      return outcome.info
    },
    async get(key, o) {
      const first = await patiently(() => blobs.get(key, o), o)
      return { ...first, body: goingOn(blobs, key, first, o, patiently) }
    },
  }
}

/** Returns the body. Each time it breaks off, it is resumed at its offset and pinned by its etag. */
function goingOn(
  blobs: BlobStore,
  key: string,
  { info, range, body }: BlobContent,
  o: OpOptions,
  patiently: <T>(run: () => Promise<T>, o: OpOptions) => Promise<T>,
): ReadableStream<Uint8Array> {
  let reader = body.getReader()
  let start = range.start
  let broken = false
  const next = async () => {
    if (broken) {
      const rest = { range: { start, end: range.end }, ifMatch: info.etag }
      reader = (await blobs.get(key, { ...o, ...rest })).body.getReader()
      broken = false
    }
    try {
      return await reader.read()
    } catch (error) {
      broken = true
      throw error
    }
  }
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await patiently(next, o)
        if (done) return controller.close()
        start += value.byteLength
        controller.enqueue(value)
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  )
}
