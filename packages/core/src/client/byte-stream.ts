import { IvcapError } from '../model/errors.js'
import { named } from './operation.js'

/** A web stream that `for await` can read in every browser, those without iterable streams included. */
export type ByteStream = ReadableStream<Uint8Array> & AsyncIterable<Uint8Array>

/**
 * `body` as users get it: iterable, and failing with errors that name the operation. Leaving a `for await` early cancels
 * it. Nothing is pulled before somebody reads.
 */
export function byteStream(
  operation: string,
  body: ReadableStream<Uint8Array>,
  signal?: AbortSignal,
): ByteStream {
  const reader = body.getReader()
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read()
          if (done) controller.close()
          else controller.enqueue(value)
        } catch (error) {
          controller.error(signal?.aborted && error === signal.reason ? error : named(error, operation))
        }
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  )
  return Object.assign(stream, { [Symbol.asyncIterator]: () => chunksOf(stream) })
}

async function* chunksOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = stream.getReader()
  let ended = false
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) {
        ended = true
        return
      }
      yield value
    }
  } catch (error) {
    ended = true
    throw error
  } finally {
    if (!ended) await reader.cancel()
    reader.releaseLock()
  }
}

/** Bytes of an array that is made before anything has come: what a size promises may never do so. */
const ON_TRUST = 32 << 20

/** The whole content in one array of `size` bytes. @throws IvcapError `unsupported` when no array holds so many */
export async function collect(
  stream: AsyncIterable<Uint8Array>,
  size: number,
): Promise<Uint8Array<ArrayBuffer>> {
  let all = new Uint8Array(Math.min(size, ON_TRUST))
  let at = 0
  for await (const chunk of stream) {
    if (at + chunk.byteLength > all.byteLength) all = grown(all, size)
    all.set(chunk, at)
    at += chunk.byteLength
  }
  return all
}

function grown(bytes: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const all = arrayOf(size)
  all.set(bytes)
  return all
}

function arrayOf(size: number): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(size)
  } catch (cause) {
    const message = `${size} bytes are more than fit into one array here: read them as a stream, or as a file`
    throw new IvcapError('unsupported', message, { cause })
  }
}
