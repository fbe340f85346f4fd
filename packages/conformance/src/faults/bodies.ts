/** Returns a stream that fails with `fault` after the first `bytes` bytes. A shorter stream ends normally. */
export function dropAfter(
  stream: ReadableStream<Uint8Array>,
  bytes: number,
  fault: unknown,
): ReadableStream<Uint8Array> {
  const reader = stream.getReader()
  let left = bytes
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await reader.read()
        if (done) return controller.close()
        const before = value.subarray(0, left)
        left -= before.byteLength
        if (before.byteLength > 0) controller.enqueue(before)
        if (before.byteLength === value.byteLength) return
        await reader.cancel(fault)
        controller.error(fault)
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  )
}

/** Returns the stream with a bit of byte `at` flipped. A shorter stream stays unchanged. */
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
