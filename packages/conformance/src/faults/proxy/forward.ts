import { once } from 'node:events'
import { type ClientRequest, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { pipeline } from 'node:stream'
import { setTimeout } from 'node:timers/promises'
import type { Fault } from './fault.js'
import { flipped, pass } from './pass.js'

/**
 * Forwards a request to `target` and the response to the client, and applies the fault to either of them.
 *
 * @param overtaken functions that release held responses
 * @param pages remembers which page comes after an empty one
 */
export async function forward(
  target: URL,
  req: IncomingMessage,
  res: ServerResponse,
  fault: Fault | undefined,
  overtaken: Set<() => void>,
  pages: SkippedPages,
): Promise<void> {
  const send = () => requestLike(target, req)
  switch (fault?.kind) {
    case 'stall':
      return void req.resume()
    case 'status':
      return refuse(req, res, fault)
    case 'empty-page':
      return refuse(req, res, {
        status: 200,
        headers: JSON_TYPE,
        body: fault.page(pages.skip(req.url ?? '')),
      })
    case 'reset':
      return resetAfter(fault.after, req, res, send())
    case 'delay': {
      const body = await bodyOf(req)
      await setTimeout(fault.ms)
      return pass(await answerTo(send(), body), res, undefined)
    }
    case 'hold': {
      const body = await bodyOf(req)
      await fault.until()
      return pass(await answerTo(send(), body), res, undefined)
    }
    case 'late': {
      const body = await bodyOf(req)
      res.socket?.resetAndDestroy()
      await (fault.until ?? setTimeout(fault.ms))
      return void (await bodyOf(await answerTo(send(), body)))
    }
    case 'twice': {
      const body = await bodyOf(req)
      await bodyOf(await answerTo(send(), body))
      return pass(await answerTo(send(), body), res, undefined)
    }
  }
  const upstream = send()
  if (fault?.kind === 'flip-sent') pipeline(req, flipped(fault.at), upstream, () => {})
  else req.pipe(upstream)
  const [answer]: IncomingMessage[] = await once(upstream, 'response')
  if (answer === undefined) return
  if (fault?.kind === 'overtaken') await beingOvertaken(overtaken, fault.ms)
  pass(answer, res, fault)
}

const JSON_TYPE = { 'Content-Type': 'application/json' }

/** URLs of requests that got an empty page, each under the token that now stands for their page. */
export class SkippedPages {
  readonly #urls = new Map<string, string>()

  /** Remembers the URL of a request, and returns the token for the page that it asked for. */
  skip(url: string): string {
    const token = `page-after-nothing-${this.#urls.size}`
    this.#urls.set(token, url)
    return token
  }

  /** Returns the remembered URL if the request has a token of `skip`, otherwise its own URL. */
  meant(url: string): string {
    const token = /page-after-nothing-\d+/.exec(url)?.[0]
    return (token !== undefined && this.#urls.get(token)) || url
  }
}

function requestLike({ hostname, port }: URL, { method, url, headers }: IncomingMessage): ClientRequest {
  const upstream = request({ hostname, port, method, path: url, headers })
  // The code that waits for the response reports the error.
  upstream.on('error', () => {})
  return upstream
}

async function answerTo(upstream: ClientRequest, body: Buffer): Promise<IncomingMessage> {
  upstream.end(body)
  const [answer]: IncomingMessage[] = await once(upstream, 'response')
  if (answer === undefined) throw new Error('a response comes with itself')
  return answer
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk)
  return Buffer.concat(chunks)
}

function refuse(
  req: IncomingMessage,
  res: ServerResponse,
  { status, headers, body = '' }: Omit<Fault & { kind: 'status' }, 'kind'>,
): void {
  req.resume()
  req.on('end', () => res.writeHead(status, headers).end(body))
}

function resetAfter(bytes: number, req: IncomingMessage, res: ServerResponse, upstream: ClientRequest): void {
  upstream.on('response', (answer) => pass(answer, res, undefined))
  let left = bytes
  const cut = () => {
    res.socket?.resetAndDestroy()
    // The bytes that were forwarded still reach the server.
    upstream.socket?.end()
  }
  req.on('data', (chunk: Buffer) => {
    if (left <= 0) return
    upstream.write(chunk.subarray(0, left))
    left -= chunk.byteLength
    if (left <= 0) cut()
  })
  req.on('end', cut)
}

function beingOvertaken(overtaken: Set<() => void>, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const goOn = () => {
      clearTimeout(timer)
      overtaken.delete(goOn)
      resolve()
    }
    const timer = globalThis.setTimeout(goOn, ms)
    overtaken.add(goOn)
  })
}
