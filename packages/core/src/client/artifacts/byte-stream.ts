import { IvcapError } from '../../model/errors.js'
import { pullStream } from '../../streams/pull-stream.js'
import { named } from '../operation.js'

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

/** Bytes of an array that is made before anything has come: what a size promises may never do so. */
const ON_TRUST = 32 << 20

/**
 * All bytes of a stream in one array. Where the stream ends decides how many there are; `expected` only saves growing the array.
 *
 * @param expected bytes, asked once the first have come; undefined: not known
 * @throws IvcapError `unsupported` if no array holds so many
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
