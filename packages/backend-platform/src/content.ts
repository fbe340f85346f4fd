import { type ByteRange, IvcapError, type Urn } from '@ivcap/core/driver'
import type { Reply } from './reply.js'

/** Bytes that are read and dropped, at the most, where a server sends all for a part. */
const MAX_SKIPPED = 256 << 20

/**
 * The bytes `range` of an artifact out of an answer that may hold more than was asked for. Nothing is read before the first
 * pull. Fails, retryable, when they end early.
 *
 * @param asked whether a range was asked for: then the answer may be 206
 * @throws IvcapError `protocol`, `unsupported` when the answer does not hold them
 */
export async function bodyOf(
  id: Urn,
  reply: Reply,
  range: Required<ByteRange>,
  size: number,
  signal: AbortSignal | undefined,
): Promise<ReadableStream<Uint8Array>> {
  try {
    return streamOf(id, reply, range, firstByte(id, reply, range, size), signal)
  } catch (error) {
    await reply.cancel()
    throw error
  }
}

/** Where in the content the body begins. */
function firstByte(id: Urn, reply: Reply, { start }: Required<ByteRange>, size: number): number {
  if (reply.status === 206) {
    const parts = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(reply.headers.get('content-range') ?? '')
    const fits = parts !== null && Number(parts[1]) === start
    if (fits && (parts[2] === '*' || Number(parts[2]) === size)) return start
    const said = reply.headers.get('content-range') ?? 'none'
    throw wrong(id, `bytes from ${start} of ${size} were asked for, and the Content-Range is ${said}`)
  }
  if (start > MAX_SKIPPED) {
    const message = `the server of ${id} knows no ranges, and to skip ${start} bytes would be wasteful: read it from the start`
    throw new IvcapError('unsupported', message, { resource: id, argument: 'range' })
  }
  return 0
}

function streamOf(
  id: Urn,
  reply: Reply,
  { start, end }: Required<ByteRange>,
  first: number,
  signal: AbortSignal | undefined,
): ReadableStream<Uint8Array> {
  let position = first
  let onAbort = () => {}
  const over = () => signal?.removeEventListener('abort', onAbort)
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        // nobody may be pulling just then
        onAbort = () => void reply.cancel().then(() => controller.error(signal?.reason))
        signal?.addEventListener('abort', onAbort)
      },
      async pull(controller) {
        try {
          signal?.throwIfAborted()
          for (;;) {
            const chunk = await reply.next()
            if (chunk === undefined) {
              if (position < end) throw short(id, position, end)
              over()
              return controller.close()
            }
            const from = Math.max(start - position, 0)
            const wanted = chunk.subarray(from, Math.max(end - position, 0))
            position += chunk.byteLength
            if (position > end && reply.status === 206)
              throw wrong(id, `more than bytes ${start}–${end} came`)
            if (position > end) await reply.cancel()
            if (wanted.byteLength > 0) controller.enqueue(wanted)
            if (position > end) {
              over()
              return controller.close()
            }
            if (wanted.byteLength > 0) return
          }
        } catch (error) {
          over()
          await reply.cancel()
          throw signal?.aborted ? signal.reason : error
        }
      },
      async cancel() {
        over()
        await reply.cancel()
      },
    },
    { highWaterMark: 0 },
  )
}

function short(id: Urn, position: number, end: number): IvcapError {
  const message = `the content of ${id} broke off at byte ${position} of ${end}`
  return new IvcapError('unavailable', message, { resource: id, retryable: true })
}

function wrong(id: Urn, what: string): IvcapError {
  return new IvcapError('protocol', `the content of ${id} came otherwise than asked for: ${what}`, {
    resource: id,
  })
}
