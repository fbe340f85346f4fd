/** The next bytes of a stream. With `done`, they are the last ones. */
export interface NextBytes {
  readonly chunk?: Uint8Array | undefined
  readonly done: boolean
}

export interface PullStreamOptions {
  /** Called again if it returns neither bytes nor `done`. Must free the resources of the stream before it returns `done`. */
  next(): Promise<NextBytes>
  /** Must stop the I/O and free the resources of the stream. Called once: after an error, a cancel or an abort. */
  stop(reason: unknown): Promise<unknown>
  readonly signal?: AbortSignal | undefined
  /** Whether I/O is in progress before the first read, so that an abort must stop it even without a read. @default false */
  readonly started?: boolean
}

/**
 * A stream that requests bytes only when they are read. After an abort it fails with the signal's reason. It fails, and `cancel()`
 * resolves, only after `stop` has resolved.
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
  // a failure of `stop` must not replace the first failure
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
