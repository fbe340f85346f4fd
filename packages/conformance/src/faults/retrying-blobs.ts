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
 * Repeats what is safe to repeat, as drivers of real stores do: questions, deletions and overwriting, and a body that
 * breaks off goes on where it was. A creation that may have happened, or a stream that was begun, is not repeated: its fault
 * is the caller's to settle.
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

/** The body, taken up again at its offset, pinned by its etag, whenever it breaks off. */
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
