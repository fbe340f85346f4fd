import { type BlobInfo, IvcapError, retry } from '@ivcap/core/driver'
import { delayedAbort, type Piece } from '@ivcap/core/internal'
import { budgetOf } from './ask.js'
import { Crc32c } from './crc32c.js'
import { isOutcomeUnknown } from './errors.js'
import type { Found } from './info.js'
import type { Place } from './place.js'
import { abandon, asLost, begin, type Session, type Standing, send, standingOf } from './session.js'
import { asTaken, commit, expectSent, GRACE_MS, takeBack, type Writing, written } from './writing.js'

export interface Pieces {
  readonly first: Piece
  readonly rest: AsyncIterator<Piece, void>
  /** Ends the reading of the rest. */
  readonly stopping: AbortController
}

/**
 * A resumable upload, piece by piece. One that fails is ended before this rejects. Where the server does not confirm the end,
 * a last piece without an answer may have been taken after all: then it succeeds.
 */
export async function putResumable(place: Place, pieces: Pieces, writing: Writing): Promise<BlobInfo> {
  const session = await begin(place, writing).catch((error: unknown) => {
    throw asTaken(place, writing, error)
  })
  const state = { isFinishing: false }
  try {
    return await sendAll(place, session, pieces, writing, state)
  } catch (error) {
    const isEnded = await abandon(place, session, writing, error)
    const isOpen = state.isFinishing && !isEnded && isOutcomeUnknown(error)
    const mine = isOpen ? await written(place, writing, error) : undefined
    if (mine === undefined) throw asTaken(place, writing, error)
    writing.progress.finish(mine.size)
    return mine
  }
}

/** The next piece is read, and its checksum taken, while one is on its way. */
async function sendAll(
  place: Place,
  session: Session,
  { first, rest, stopping }: Pieces,
  writing: Writing,
  state: { isFinishing: boolean },
): Promise<BlobInfo> {
  const signal = AbortSignal.any([stopping.signal, ...(writing.signal ? [writing.signal] : [])])
  const crc = new Crc32c()
  const readNext = async () => {
    const { value } = await rest.next()
    if (!value) throw new IvcapError('unknown', `the content of ${writing.key} has no end`)
    crc.update(value.bytes)
    return value
  }
  let piece = first
  let start = 0
  crc.update(first.bytes)
  while (!piece.last) {
    const sending = sendMiddle(place, session, { piece, start, writing, signal })
    const next = await besides(readNext(), sending, stopping)
    start += piece.bytes.byteLength
    writing.progress.report(start)
    piece.release()
    piece = next
  }
  const sent = { size: start + piece.bytes.byteLength, crc32c: crc.base64 }
  state.isFinishing = true
  // the piece is repeated by itself
  const info = await commit(place, { ...writing, retries: 0 }, async () => {
    const found = await sendLast(place, session, { piece, start, writing, last: sent.crc32c })
    return expectSent(place, writing, found, sent)
  })
  writing.progress.finish(info.size)
  return info
}

/** The result of the first, once both have come to their end; the failure of either ends the other. */
async function besides<T>(
  reading: Promise<T>,
  sending: Promise<unknown>,
  stopping: AbortController,
): Promise<T> {
  const failures: unknown[] = []
  const end = (error: unknown) => {
    failures.push(error)
    stopping.abort(error)
  }
  await Promise.all([reading.catch(end), sending.catch(end)])
  if (failures.length > 0) throw failures[0]
  return reading
}

interface Sending {
  readonly piece: Piece
  /** Where in the blob it belongs. */
  readonly start: number
  readonly writing: Writing
  /** The checksum of the whole, with its last piece. */
  readonly last?: string
  readonly signal?: AbortSignal
}

/** A server that makes a blob of it by now (fake-gcs-server, asked how far it has come) is wrong. */
async function sendMiddle(place: Place, session: Session, sending: Sending): Promise<void> {
  const found = await sendPiece(place, session, sending)
  if (found !== undefined) await takeBack(place, sending.writing, found, 'before it had all of them')
}

/** What makes it whole isn't cut off at once. */
async function sendLast(place: Place, session: Session, sending: Sending): Promise<Found> {
  const { signal: _atOnce, ...rest } = sending
  const stop = delayedAbort(rest.writing.signal, GRACE_MS)
  try {
    const found = await sendPiece(place, session, { ...rest, ...stop.options })
    if (found !== undefined) return found
    throw new IvcapError('protocol', `${place.server} has all of ${rest.writing.key}, and wants more`)
  } finally {
    stop.clear()
  }
}

/** Until the server has all of it; after a fault from where the server says that it is. Tells of the blob, once that is whole. */
async function sendPiece(place: Place, session: Session, sending: Sending): Promise<Found | undefined> {
  const { piece, start, last, writing, signal } = sending
  const o = signal ? { signal } : {}
  const end = start + piece.bytes.byteLength
  let received = start
  const attempt = async (n: number): Promise<Found | undefined> => {
    let standing: Standing = n === 0 ? { received } : await standingOf(place, session, writing, o)
    for (;;) {
      if ('found' in standing) return standing.found
      received = within(standing.received, { start, end, writing })
      if (received === end && last === undefined) return undefined
      const rest = piece.bytes.subarray(received - start)
      standing = await send(place, session, rest, { from: received, last, writing }, o)
      if ('found' in standing || standing.received > received) continue
      const message = `${place.server} has taken nothing of ${writing.key} from byte ${received} on`
      throw new IvcapError('unavailable', message)
    }
  }
  try {
    const budget = { ...budgetOf(place, writing), ...(last === undefined && o) }
    return await retry(attempt, { ...budget, progress: () => received })
  } catch (error) {
    throw asLost(place, writing, error)
  }
}

/** What the server has acknowledged is kept here no longer. */
function within(
  received: number,
  { start, end, writing }: { readonly start: number; readonly end: number; readonly writing: Writing },
): number {
  if (received >= start && received <= end) return received
  const message = `the server says that it has ${received} bytes of ${writing.key}, where it has ${start} to ${end}`
  throw new IvcapError('protocol', message)
}
