import type { ByteRange, OpOptions } from '../ports/index.js'
import { parallelParts } from './parallel-parts.js'
import type { Part } from './part.js'

export interface OrderedRangesOptions extends OpOptions {
  /** The body of the first `trial` bytes, which was asked for already. Cancelled with the rest. */
  readonly first: ReadableStream<Uint8Array>
  /** Bytes after which it is known how fast one connection is. */
  readonly trial: number
  /** See `ParallelParts.fast`. */
  readonly fast?: number
  /** Bytes of each of several ranges. */
  readonly partSize: number
  /** Ranges that are on their way or wait in memory, which holds `partSize × concurrency` bytes at the most. */
  readonly concurrency: number
}

/** All bytes of a range, or an error. The signal ends when nobody wants them any more. */
export type OpenRange = (
  range: Required<ByteRange>,
  o: { readonly signal: AbortSignal },
) => Promise<ReadableStream<Uint8Array>>

/** `parallelParts` of bodies that are web streams. */
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

/** All of a body, which ends with its part or fails. */
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
