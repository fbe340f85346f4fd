import { type ByteRange, IvcapError, resolveRange, type Urn } from '@ivcap/core/driver'
import { pullStream } from '@ivcap/core/internal'
import type { Reply } from './reply.js'
import { codingsOf } from './transport/encoding.js'

/** Bytes that are read and dropped, at the most, where a server sends all for a part. */
const MAX_SKIPPED = 256 << 20

/** What an answer gives of the content. */
export interface AnsweredContent {
  /** Bytes of the whole content, where the answer or the record tells. */
  readonly size: number | undefined
  /** The bytes in `body`; `end` is absent if only the end of the body tells. */
  readonly range: ByteRange
  readonly body: ReadableStream<Uint8Array>
}

/**
 * The bytes `range` of an artifact out of an answer that may hold more than was asked for. The answer tells how many bytes there
 * are: `size`, which the record says, must agree with it. Nothing is read before the first pull. The body fails, retryable, if it
 * ends early, and with `integrity` if it goes on for longer than the answer or the record say.
 *
 * @param size bytes, by the record; absent: it does not tell
 * @throws IvcapError `protocol`, `integrity`, `unsupported` if the answer does not hold these bytes
 */
export async function contentOf(
  id: Urn,
  reply: Reply,
  range: ByteRange,
  size: number | undefined,
  signal: AbortSignal | undefined,
): Promise<AnsweredContent> {
  try {
    const extent =
      reply.status === 206 ? partialExtent(id, reply, range, size) : fullExtent(id, reply, range, size)
    return { size: extent.size, range: extent.range, body: streamOf(id, reply, extent, signal) }
  } catch (error) {
    await reply.cancel()
    throw error
  }
}

interface Extent {
  readonly size: number | undefined
  readonly range: ByteRange
  /** Position in the content of the first byte of the body. */
  readonly first: number
  /** Where the body must end; absent: not known. */
  readonly bodyEnd: number | undefined
  /** Bytes from here on are not wanted. */
  readonly stop: number
}

/** 206: the Content-Range says what the body holds. */
function partialExtent(id: Urn, reply: Reply, asked: ByteRange, recorded: number | undefined): Extent {
  const header = reply.headers.get('content-range') ?? 'none'
  const parts = /^bytes (\d+)-(\d+)\/(\d+|\*)$/i.exec(header.trim())
  const first = Number(parts?.[1])
  const bodyEnd = Number(parts?.[2]) + 1
  const total = parts === null || parts[3] === '*' ? undefined : Number(parts[3])
  const wanted = `bytes from ${asked.start} to ${asked.end ?? recorded ?? 'the end'} were asked for`
  const fits = first === asked.start && bodyEnd > first && bodyEnd <= (asked.end ?? bodyEnd)
  if (parts === null || !fits || !Number.isSafeInteger(bodyEnd) || bodyEnd > (total ?? bodyEnd))
    throw wrong(id, `${wanted}, and the Content-Range is ${header}`)
  expectRecorded(id, total, recorded)
  const length = lengthOf(reply)
  if (length !== undefined && length !== bodyEnd - first)
    throw wrong(id, `the Content-Range is ${header}, and the Content-Length ${length}`)
  const size = total ?? recorded
  const end = size === undefined ? bodyEnd : Math.min(asked.end ?? size, size)
  return { size, range: { start: first, end }, first, bodyEnd, stop: end }
}

/** 200: the whole content, of which the beginning may have to be skipped. */
function fullExtent(id: Urn, reply: Reply, asked: ByteRange, recorded: number | undefined): Extent {
  const length = lengthOf(reply)
  expectRecorded(id, length, recorded)
  if (asked.start > MAX_SKIPPED) {
    const message = `the server of ${id} knows no ranges, and to skip ${asked.start} bytes would be wasteful: read it from the start`
    throw new IvcapError('unsupported', message, { resource: id, argument: 'range' })
  }
  const size = length ?? recorded
  if (size === undefined) {
    const stop = asked.end ?? Number.POSITIVE_INFINITY
    return { size, range: { start: asked.start }, first: 0, bodyEnd: undefined, stop }
  }
  const isWhole = asked.start === 0 && (asked.end ?? size) >= size
  const range = resolveRange(isWhole ? undefined : asked, size)
  return { size, range, first: 0, bodyEnd: size, stop: range.end }
}

/** Bytes of the body as it is handed out; undefined where the answer does not tell. */
function lengthOf({ headers }: Reply): number | undefined {
  const text = headers.get('content-length') ?? ''
  if (!/^\d+$/.test(text) || codingsOf(headers).length > 0) return undefined
  const length = Number(text)
  return Number.isSafeInteger(length) ? length : undefined
}

function expectRecorded(id: Urn, answered: number | undefined, recorded: number | undefined): void {
  if (answered === undefined || recorded === undefined || answered === recorded) return
  const message = `the record of ${id} says ${recorded} bytes, but its content has ${answered}: it is damaged, or was replaced meanwhile`
  throw new IvcapError('integrity', message, { resource: id })
}

function streamOf(
  id: Urn,
  reply: Reply,
  extent: Extent,
  signal: AbortSignal | undefined,
): ReadableStream<Uint8Array> {
  const { start } = extent.range
  const { bodyEnd, stop } = extent
  let position = extent.first
  const next = async () => {
    const chunk = await reply.next()
    if (chunk === undefined) {
      expectComplete(id, position, extent)
      return { done: true }
    }
    const from = Math.max(start - position, 0)
    const wanted = chunk.subarray(from, Math.max(stop - position, 0))
    position += chunk.byteLength
    if (bodyEnd !== undefined && position > bodyEnd) throw tooLong(id, reply, bodyEnd)
    const done = position >= stop && stop < (bodyEnd ?? Number.POSITIVE_INFINITY)
    if (done) await reply.cancel()
    return { chunk: wanted.byteLength > 0 ? wanted : undefined, done }
  }
  return pullStream({ next, stop: () => reply.cancel(), signal, started: true })
}

/** The body has ended, as HTTP sees it in good order: whether it held what it had to. */
function expectComplete(id: Urn, position: number, { range, bodyEnd, size, first }: Extent): void {
  const { start, end } = range
  if (end !== undefined && position < end) {
    // a server may send less of a range than was asked for; the rest is asked for then
    if (position === bodyEnd || first > 0) throw short(id, position, end)
    const message = `the content of ${id} ended at byte ${position}, and should have ${size}: it was cut short`
    throw new IvcapError('integrity', message, { resource: id, retryable: true })
  }
  if (size === undefined && start > 0 && start >= position) {
    const message = `range.start is ${start}, but the content has ${position} bytes: start below that`
    throw new IvcapError('invalid-argument', message, { argument: 'range', resource: id })
  }
}

function tooLong(id: Urn, reply: Reply, end: number): IvcapError {
  if (reply.status === 206) return wrong(id, `its Content-Range ends at byte ${end}, and its body goes on`)
  const message = `the content of ${id} should end at byte ${end}, and goes on: the record is not that of this content`
  return new IvcapError('integrity', message, { resource: id })
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
