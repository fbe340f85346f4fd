import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

/** What it does to the bytes of a chunk, where that isn't: takes them. */
export interface Quirks {
  /** Of the first chunk, bytes that are taken; what comes after them the server wants again. */
  takesOf?: number
  /** The uploads that are known by then end. */
  forgets?: () => boolean
}

/**
 * fake-gcs-server, with its resumable uploads as Google has them: the question how far an upload has come is answered (it takes
 * it for the end of the upload, internal defect of fakestorage/upload.go, uploadFileContent), DELETE ends an upload (it goes on to
 * know it: deleteResumableUpload), what was taken of a chunk may be less than was sent, and bytes that it has are passed over.
 */
export async function mended(
  target: string,
  quirks: Quirks = {},
): Promise<{ readonly url: string; readonly unfinished: number }> {
  const uploads = new Map<string, number>()
  const done = new Map<string, Buffer>()
  let partial = quirks.takesOf
  const server = createServer(async (req, res) => {
    for (const one of [req, res]) one.on('error', () => {})
    const body = await bodyOf(req).catch(() => undefined)
    // broken off: a server that is not told the end of a request does nothing
    if (body === undefined) return
    const id = new URL(req.url ?? '', target).searchParams.get('upload_id')
    if (id === null) return void forward(req, body, res)
    if (quirks.forgets?.()) uploads.clear()
    const finished = done.get(id)
    if (finished !== undefined && req.method === 'PUT') return void res.writeHead(200).end(finished)
    const has = uploads.get(id)
    if (has === undefined) return void res.writeHead(410).end()
    if (req.method === 'DELETE') {
      uploads.delete(id)
      return void res.writeHead(499).end()
    }
    const [, from, total] =
      /^bytes (?:(\d+)-\d+|\*)\/(\d+|\*)$/.exec(req.headers['content-range'] ?? '') ?? []
    if (from === undefined && Number(total) !== has) return goOn(res, has)
    const known = from === undefined ? 0 : has - Number(from)
    if (known < 0) return void res.writeHead(400).end()
    // what has come before (a chunk that came twice) is passed over
    const fresh = body.subarray(known)
    if (fresh.byteLength === 0 && Number(total) !== has) return goOn(res, has)
    const taken = partial === undefined ? fresh : fresh.subarray(0, partial)
    partial = undefined
    const after = has + taken.byteLength
    const whole = total === String(after)
    const range = taken.byteLength === 0 ? '*' : `${has}-${after - 1}`
    await forward(req, taken, res, { 'content-range': `bytes ${range}/${whole ? total : '*'}` })
    if (uploads.has(id)) uploads.set(id, after)
  })

  const goOn = (res: ServerResponse, has: number) =>
    void res.writeHead(308, has === 0 ? {} : { range: `bytes=0-${has - 1}` }).end()

  async function forward(
    req: IncomingMessage,
    body: Buffer,
    res: ServerResponse,
    headers: Record<string, string> = {},
  ): Promise<void> {
    const length =
      body.byteLength > 0 || req.method !== 'GET' ? { 'content-length': `${body.byteLength}` } : {}
    const upstream = request(new URL(req.url ?? '', target), {
      method: req.method,
      // the server's answers name the host that it was asked at
      headers: { ...req.headers, ...length, ...headers },
    })
    upstream.on('error', () => res.destroy())
    upstream.end(body)
    const [answer]: IncomingMessage[] = await once(upstream, 'response')
    if (answer === undefined) return
    const { statusCode = 502, headers: said } = answer
    const location = said.location ?? ''
    const begun = URL.canParse(location) ? new URL(location).searchParams.get('upload_id') : null
    if (begun !== null) uploads.set(begun, 0)
    const told = await bodyOf(answer)
    const id = new URL(req.url ?? '', target).searchParams.get('upload_id')
    if (id !== null && statusCode !== 308) {
      uploads.delete(id)
      if (statusCode === 200) done.set(id, told)
    }
    res.writeHead(statusCode, said).end(told)
  }

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    get unfinished() {
      return uploads.size
    },
  }
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk)
  return Buffer.concat(chunks)
}
