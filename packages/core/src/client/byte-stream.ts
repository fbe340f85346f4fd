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

/** The whole content in one array of `size` bytes. */
export async function collect(
  stream: AsyncIterable<Uint8Array>,
  size: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const all = new Uint8Array(size)
  let at = 0
  for await (const chunk of stream) {
    all.set(chunk, at)
    at += chunk.byteLength
  }
  return all
}
