import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream'
import type { Fault } from './fault.js'

type Body = AsyncIterable<Buffer>

/** Sends a response to the client and applies the fault to it. */
export function pass(answer: IncomingMessage, res: ServerResponse, fault: Fault | undefined): void {
  answer.on('error', () => res.destroy())
  res.on('close', () => answer.destroy())
  switch (fault?.kind) {
    case 'close':
      closeAfter(res)
      break
    case 'lose-answer':
      answer.resume()
      return void answer.on('end', () => res.socket?.resetAndDestroy())
    case 'cut-answer':
      return void cut(answer, res, fault)
    case 'edit':
      return void through(answer, res, edited(fault.edit), false)
    case 'flip':
      return void through(answer, res, flipped(fault.at))
    case 'dribble':
      return void through(answer, res, inPieces(fault.bytes))
    case 'pause':
      return void through(answer, res, pausing(fault))
  }
  res.writeHead(answer.statusCode ?? 502, answer.headers)
  answer.pipe(res)
}

/** Reads the socket in advance, since a response that has ended no longer has one. */
function closeAfter(res: ServerResponse): void {
  const { socket } = res
  res.on('finish', () => socket?.end())
}

function through(
  answer: IncomingMessage,
  res: ServerResponse,
  change: (body: Body) => AsyncIterable<Buffer>,
  sameLength = true,
): void {
  const { 'content-length': _, ...others } = answer.headers
  res.writeHead(answer.statusCode ?? 502, sameLength ? answer.headers : others)
  pipeline(answer, change, res, () => {})
}

function cut(
  answer: IncomingMessage,
  res: ServerResponse,
  { after, how }: Fault & { kind: 'cut-answer' },
): void {
  const { 'content-length': _, ...plain } = answer.headers
  const endless = how === 'end'
  res.writeHead(answer.statusCode ?? 502, endless ? { ...plain, connection: 'close' } : answer.headers)
  res.flushHeaders()
  let left = after
  answer.on('data', (bytes: Buffer) => {
    if (left > 0) res.write(bytes.subarray(0, left))
    left -= bytes.byteLength
  })
  answer.on('end', () => {
    if (how === 'stall') return
    // The bytes that were written must be sent before the connection ends.
    if (endless) res.end()
    else setImmediate(() => res.socket?.end())
  })
}

/** Sends each piece in its own event loop turn, so that it is transferred separately. */
const inPieces = (bytes: number) =>
  async function* (body: Body) {
    for await (const chunk of body) {
      for (let at = 0; at < chunk.byteLength; at += bytes) {
        yield chunk.subarray(at, at + bytes)
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
  }

const pausing = ({ after, ms }: Fault & { kind: 'pause' }) =>
  async function* (body: Body) {
    let left = after
    for await (const chunk of body) {
      if (left > chunk.byteLength || left <= 0) yield chunk
      else {
        yield chunk.subarray(0, left)
        await new Promise((resolve) => setTimeout(resolve, ms))
        yield chunk.subarray(left)
      }
      left -= chunk.byteLength
    }
  }

/** Flips a bit of byte `at`. */
export const flipped = (at: number) =>
  async function* (body: Body) {
    let left = at
    for await (const chunk of body) {
      const byte = chunk[left]
      if (left >= 0 && byte !== undefined) chunk[left] = byte ^ 1
      left -= chunk.byteLength
      yield chunk
    }
  }

const edited = (edit: (body: string) => string) =>
  async function* (body: Body) {
    const chunks: Buffer[] = []
    for await (const chunk of body) chunks.push(chunk)
    yield Buffer.from(edit(Buffer.concat(chunks).toString()))
  }
