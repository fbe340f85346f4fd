import { IvcapError } from '../../model/errors.js'
import { pullStream } from '../../streams/pull-stream.js'
import { named } from '../operation.js'

/** A web stream that `for await` can read in every browser, including those whose streams are not iterable. */
export type ByteStream = ReadableStream<Uint8Array> & AsyncIterable<Uint8Array>

/**
 * Makes `body` iterable. Its errors name the operation. Leaving a `for await` loop early cancels the stream. Nothing is pulled
 * before the first read.
 */
export function byteStream(
  operation: string,
  body: ReadableStream<Uint8Array>,
  signal?: AbortSignal,
): ByteStream {
  const reader = body.getReader()
  const stream = pullStream({
    async next() {
      try {
        const { done, value } = await reader.read()
        return { chunk: value, done }
      } catch (error) {
        throw signal?.aborted && error === signal.reason ? error : named(error, operation)
      }
    },
    stop: (reason) => reader.cancel(reason),
  })
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

/** Maximum bytes of the array that is allocated before any content arrives: the stated size may be wrong. */
const ON_TRUST = 32 << 20

/**
 * Collects all bytes of a stream in one array. The end of the stream determines their number; `expected` only avoids growing
 * the array.
 *
 * @param expected returns the expected number of bytes, undefined if unknown; called after the first bytes have arrived
 * @throws IvcapError `unsupported` if no array can hold so many bytes
 */
export async function collect(
  stream: AsyncIterable<Uint8Array>,
  expected: () => number | undefined,
): Promise<Uint8Array<ArrayBuffer>> {
  let all = new Uint8Array(0)
  let at = 0
  for await (const chunk of stream) {
    const needed = at + chunk.byteLength
    if (needed > all.byteLength) all = grown(all.subarray(0, at), needed, expected() ?? 0)
    all.set(chunk, at)
    at = needed
  }
  return at === all.byteLength ? all : all.slice(0, at)
}

function grown(bytes: Uint8Array, needed: number, expected: number): Uint8Array<ArrayBuffer> {
  const isFirst = bytes.byteLength === 0
  const wanted = isFirst ? Math.min(expected, ON_TRUST) : Math.max(expected, 2 * bytes.byteLength)
  const all = wanted > needed ? (arrayOf(wanted) ?? arrayOf(needed)) : arrayOf(needed)
  if (all === undefined) throw tooLarge(needed)
  all.set(bytes)
  return all
}

function arrayOf(size: number): Uint8Array<ArrayBuffer> | undefined {
  try {
    return new Uint8Array(size)
  } catch {
    return undefined
  }
}

export function tooLarge(size: number, cause?: unknown): IvcapError {
  const message = `${size} bytes are more than fit into memory in one piece here: read them as a stream, or as a file`
  return new IvcapError('unsupported', message, { cause })
}
