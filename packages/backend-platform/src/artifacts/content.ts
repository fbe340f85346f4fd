import { type ByteRange, IvcapError, resolveRange, type Urn } from '@ivcap/core/driver'
import { pullStream } from '@ivcap/core/internal'
import type { HttpResponse } from '../http/response.js'
import { contentCodings } from '../transport/types.js'

/** Maximum bytes that are read and discarded if a server without ranges sends everything. */
const MAX_SKIPPED = 256 << 20

/** The bytes of the content that a response contains. */
export interface ReceivedContent {
  /** Bytes of the whole content, if the response or the record states it. */
  readonly size: number | undefined
  /** The bytes in `body`; `end` is absent if it is known only at the end of the body. */
  readonly range: ByteRange
  readonly body: ReadableStream<Uint8Array>
}

/**
 * Takes the bytes `range` of an artifact from a response, which may contain more than was requested. The response determines the
 * size of the content; the recorded `size` must be equal. Nothing is read before the first pull. If the body ends early, it fails
 * with a retryable error. If it has more bytes than the response or the record states, it fails with `integrity`, or `protocol`
 * if the response is a 206.
 *
 * @param size recorded bytes; undefined if the record has no size
 * @throws IvcapError `protocol`, `integrity`, `unsupported` if the response does not contain these bytes
 */
export async function contentOf(
  id: Urn,
  response: HttpResponse,
  range: ByteRange,
  size: number | undefined,
  signal: AbortSignal | undefined,
): Promise<ReceivedContent> {
  try {
    const extent =
      response.status === 206
        ? partialExtent(id, response, range, size)
        : fullExtent(id, response, range, size)
    return { size: extent.size, range: extent.range, body: streamOf(id, response, extent, signal) }
  } catch (error) {
    await response.cancel()
    throw error
  }
}

interface Extent {
  readonly size: number | undefined
  readonly range: ByteRange
  /** Position in the content of the first byte of the body. */
  readonly first: number
  /** The position at which the body must end; undefined if unknown. */
  readonly bodyEnd: number | undefined
  /** Bytes from this position on are dropped. */
  readonly stop: number
}

/** 206: the Content-Range states the bytes of the body. */
function partialExtent(
  id: Urn,
  response: HttpResponse,
  requested: ByteRange,
  recorded: number | undefined,
): Extent {
  const header = response.headers.get('content-range') ?? 'none'
  const parts = /^bytes (\d+)-(\d+)\/(\d+|\*)$/i.exec(header.trim())
  const first = Number(parts?.[1])
  const bodyEnd = Number(parts?.[2]) + 1
  const total = parts === null || parts[3] === '*' ? undefined : Number(parts[3])
  const wanted = `bytes from ${requested.start} to ${requested.end ?? recorded ?? 'the end'} were asked for`
  const matches = first === requested.start && bodyEnd > first && bodyEnd <= (requested.end ?? bodyEnd)
  if (parts === null || !matches || !Number.isSafeInteger(bodyEnd) || bodyEnd > (total ?? bodyEnd))
    throw wrong(id, `${wanted}, and the Content-Range is ${header}`)
  assertRecordedSize(id, total, recorded)
  const length = lengthOf(response)
  if (length !== undefined && length !== bodyEnd - first)
    throw wrong(id, `the Content-Range is ${header}, and the Content-Length ${length}`)
  const size = total ?? recorded
  const end = size === undefined ? bodyEnd : Math.min(requested.end ?? size, size)
  return { size, range: { start: first, end }, first, bodyEnd, stop: end }
}

/** 200: the whole content; its beginning may have to be skipped. */
function fullExtent(
  id: Urn,
  response: HttpResponse,
  requested: ByteRange,
  recorded: number | undefined,
): Extent {
  const length = lengthOf(response)
  assertRecordedSize(id, length, recorded)
  if (requested.start > MAX_SKIPPED) {
    const message = `the server of ${id} knows no ranges, and to skip ${requested.start} bytes would be wasteful: read it from the start`
    throw new IvcapError('unsupported', message, { resource: id, argument: 'range' })
  }
  const size = length ?? recorded
  if (size === undefined) {
    const stop = requested.end ?? Number.POSITIVE_INFINITY
    return { size, range: { start: requested.start }, first: 0, bodyEnd: undefined, stop }
  }
  const isWhole = requested.start === 0 && (requested.end ?? size) >= size
  const range = resolveRange(isWhole ? undefined : requested, size)
  return { size, range, first: 0, bodyEnd: size, stop: range.end }
}

/** Bytes of the decoded body; undefined if the response does not state them. */
function lengthOf({ headers }: HttpResponse): number | undefined {
  const text = headers.get('content-length') ?? ''
  if (!/^\d+$/.test(text) || contentCodings(headers).length > 0) return undefined
  const length = Number(text)
  return Number.isSafeInteger(length) ? length : undefined
}

function assertRecordedSize(id: Urn, answered: number | undefined, recorded: number | undefined): void {
  if (answered === undefined || recorded === undefined || answered === recorded) return
  const message = `the record of ${id} says ${recorded} bytes, but its content has ${answered}: it is damaged, or was replaced meanwhile`
  throw new IvcapError('integrity', message, { resource: id })
}

function streamOf(
  id: Urn,
  response: HttpResponse,
  extent: Extent,
  signal: AbortSignal | undefined,
): ReadableStream<Uint8Array> {
  const { start } = extent.range
  const { bodyEnd, stop } = extent
  let position = extent.first
  const next = async () => {
    const chunk = await response.next()
    if (chunk === undefined) {
      assertComplete(id, position, extent)
      return { done: true }
    }
    const from = Math.max(start - position, 0)
    const wanted = chunk.subarray(from, Math.max(stop - position, 0))
    position += chunk.byteLength
    if (bodyEnd !== undefined && position > bodyEnd) throw tooLong(id, response, bodyEnd)
    const done = position >= stop && stop < (bodyEnd ?? Number.POSITIVE_INFINITY)
    if (done) await response.cancel()
    return { chunk: wanted.byteLength > 0 ? wanted : undefined, done }
  }
  return pullStream({ next, stop: () => response.cancel(), signal, started: true })
}

/** Checks the length of a body that ended regularly. */
function assertComplete(id: Urn, position: number, { range, bodyEnd, size, first }: Extent): void {
  const { start, end } = range
  if (end !== undefined && position < end) {
    // a server may send less than the requested range; the caller requests the rest
    if (position === bodyEnd || first > 0) throw short(id, position, end)
    const message = `the content of ${id} ended at byte ${position}, and should have ${size}: it was cut short`
    throw new IvcapError('integrity', message, { resource: id, retryable: true })
  }
  if (size === undefined && start > 0 && start >= position) {
    const message = `range.start is ${start}, but the content has ${position} bytes: start below that`
    throw new IvcapError('invalid-argument', message, { argument: 'range', resource: id })
  }
}

function tooLong(id: Urn, response: HttpResponse, end: number): IvcapError {
  if (response.status === 206) return wrong(id, `its Content-Range ends at byte ${end}, and its body goes on`)
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
