const KiB = 1024
export const MiB = 1024 * KiB

/** Returns `size` pseudo-random bytes, the same for the same seed. No sequence of them repeats at the end of a part. */
export function someBytes(size: number, seed = 1): Uint8Array {
  const words = new Uint32Array(Math.ceil(size / 4))
  let x = Math.imul(seed, 0x9e3779b1) | 1
  for (let i = 0; i < words.length; i++) {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    words[i] = x
  }
  return new Uint8Array(words.buffer, 0, size)
}

/** Reads a stream to its end and returns its bytes. */
export async function collect(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** Like `toEqual`, which takes minutes for millions of bytes. Works outside of vitest too. */
export function expectBytes(actual: Uint8Array, expected: Uint8Array): void {
  if (Buffer.compare(actual, expected) === 0) return
  const at = expected.findIndex((byte, i) => byte !== actual[i])
  throw new Error(`${actual.byteLength} bytes for ${expected.byteLength}; byte ${at} is not what was stored`)
}

/** Returns the bytes as a stream that sends each chunk only when the reader asks for it. */
export function streamOf(bytes: Uint8Array, chunkSize = 64 * KiB): ReadableStream<Uint8Array> {
  return streamFrom(chunksOf(bytes, chunkSize))
}

export function* chunksOf(bytes: Uint8Array, chunkSize = 64 * KiB): Generator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += chunkSize) yield bytes.subarray(at, at + chunkSize)
}

/** Returns a stream that takes the next chunk only when the reader asks for it. */
export function streamFrom(
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): ReadableStream<Uint8Array> {
  const iterator = Symbol.asyncIterator in chunks ? chunks[Symbol.asyncIterator]() : chunks[Symbol.iterator]()
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const next = await iterator.next()
        if (next.done) controller.close()
        else controller.enqueue(next.value)
      },
      async cancel() {
        await iterator.return?.()
      },
    },
    { highWaterMark: 0 },
  )
}
