import { pullStream } from '@ivcap/core/internal'

/** The first `bytes` bytes of a stream, and then `fault`. A shorter stream ends as it does. */
export function dropAfter(
  stream: ReadableStream<Uint8Array>,
  bytes: number,
  fault: unknown,
): ReadableStream<Uint8Array> {
  const reader = stream.getReader()
  let left = bytes
  return pullStream({
    async next() {
      if (left < 0) throw fault
      const { done, value } = await reader.read()
      if (done) return { done }
      const before = value.subarray(0, left)
      left -= value.byteLength
      return { chunk: before.byteLength > 0 ? before : undefined, done }
    },
    stop: (reason) => reader.cancel(reason),
  })
}

/** The stream, with a bit of byte `at` flipped. A shorter one stays as it is. */
export function flipAt(stream: ReadableStream<Uint8Array>, at: number): ReadableStream<Uint8Array> {
  let left = at
  const flip = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      const byte = chunk[left]
      const flipped = byte === undefined ? chunk : chunk.slice()
      if (byte !== undefined) flipped[left] = byte ^ 1
      left -= chunk.byteLength
      controller.enqueue(flipped)
    },
  })
  return stream.pipeThrough(flip)
}
