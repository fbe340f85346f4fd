import type { ByteRange, OpOptions } from '../ports/index.js'
import { parallelParts } from './parallel-parts.js'
import type { Part } from './part.js'

export interface OrderedRangesOptions extends OpOptions {
  /** The body of the first `trial` bytes, which was requested already. It is cancelled together with the other bodies. */
  readonly first: ReadableStream<Uint8Array>
  /** Bytes that are used to measure the speed of one connection. */
  readonly trial: number
  /** See `ParallelParts.fast`. */
  readonly fast?: number
  /** Bytes per range, if several ranges are requested. */
  readonly partSize: number
  /** Maximum number of ranges that are in transfer or in memory, i.e. `partSize × concurrency` bytes. */
  readonly concurrency: number
}

/** Opens a body with all bytes of a range, or fails. The signal aborts when the bytes are no longer needed. */
export type OpenRange = (
  range: Required<ByteRange>,
  o: { readonly signal: AbortSignal },
) => Promise<ReadableStream<Uint8Array>>

/** As `parallelParts`, with web streams as bodies. */
export function orderedRanges(
  { start, end }: Required<ByteRange>,
  open: OpenRange,
  { first, trial, ...o }: OrderedRangesOptions,
): ReadableStream<Uint8Array> {
  return parallelParts({
    ...o,
    start,
    end,
    firstEnd: Math.min(start + trial, end),
    receive: async (part, signal) =>
      pour(part.start === start ? first : await open(part, { signal }), part, signal),
    close: async () => {
      if (!first.locked) await first.cancel().catch(() => {})
    },
  })
}

/** Reads a body to its end into the part. */
async function pour(body: ReadableStream<Uint8Array>, part: Part, signal: AbortSignal): Promise<void> {
  const reader = body.getReader()
  let cancelling: Promise<void> | undefined
  const cancel = () => {
    cancelling ??= reader.cancel(signal.reason).catch(() => {})
    return cancelling
  }
  const onAbort = () => {
    part.fail(signal.reason)
    void cancel()
  }
  signal.addEventListener('abort', onAbort)
  try {
    for (;;) {
      signal.throwIfAborted()
      const { done, value } = await reader.read()
      if (done) break
      part.add(value)
      await part.room()
    }
    signal.throwIfAborted()
  } finally {
    signal.removeEventListener('abort', onAbort)
    await cancel()
  }
}
