/** The next bytes of a stream; with `done`, they are its last. */
export interface NextBytes {
  readonly chunk?: Uint8Array | undefined
  readonly done: boolean
}

export interface PullStreamOptions {
  /** Is called again if it returns neither bytes nor `done`. Frees what the stream holds before it returns `done`. */
  next(): Promise<NextBytes>
  /** Stops the I/O and frees what the stream holds. Is called once: after an error, a cancel or an abort. */
  stop(reason: unknown): Promise<unknown>
  readonly signal?: AbortSignal | undefined
  /** Whether I/O is under way before the first read, so that an abort must stop it although nobody reads. @default false */
  readonly started?: boolean
}

/**
 * A stream that asks for bytes only when they are read. After an abort it fails with the signal's reason; it fails, and
 * `cancel()` resolves, once `stop` has resolved.
 */
export function pullStream({ next, stop, signal, started }: PullStreamOptions): ReadableStream<Uint8Array> {
  let stopping: Promise<unknown> | undefined
  let onAbort = () => {}
  const detach = () => signal?.removeEventListener('abort', onAbort)
  const stopOnce = (reason: unknown) => {
    detach()
    stopping ??= stop(reason)
    return stopping
  }
  // the first failure counts, not what it makes of stopping
  const stopAfterFailure = (reason: unknown) => stopOnce(reason).catch(() => {})
  const pull = async (controller: ReadableStreamDefaultController<Uint8Array>) => {
    try {
      signal?.throwIfAborted()
      // adding a listener a second time has no effect
      signal?.addEventListener('abort', onAbort)
      for (;;) {
        const { chunk, done } = await next()
        signal?.throwIfAborted()
        if (stopping !== undefined) return
        if (chunk !== undefined) controller.enqueue(chunk)
        if (done) {
          detach()
          controller.close()
        }
        if (done || chunk !== undefined) return
      }
    } catch (error) {
      await stopAfterFailure(error)
      throw signal?.aborted ? signal.reason : error
    }
  }
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        onAbort = () => void stopAfterFailure(signal?.reason).then(() => controller.error(signal?.reason))
        if (started) signal?.addEventListener('abort', onAbort)
      },
      pull,
      cancel: async (reason) => void (await stopOnce(reason)),
    },
    { highWaterMark: 0 },
  )
}
