import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import { type S3Options, s3Backend, s3Blobs } from '../../src/index.js'

export interface Seen {
  readonly method: string
  readonly url: URL
  readonly headers: IncomingMessage['headers']
}

export type Reply =
  | 'reset'
  | { readonly status: number; readonly body?: string; readonly headers?: Record<string, string> }

/** Undefined: the bucket answers as it should. */
export type Script = (seen: Seen, n: number) => Reply | undefined | Promise<Reply | undefined>

export interface Scripted {
  readonly endpoint: string
  readonly options: S3Options
  readonly seen: Seen[]
  script: Script
  blobs(o?: Partial<S3Options>): ReturnType<typeof s3Blobs>
  backend(o?: Partial<S3Options>): ReturnType<typeof s3Backend>
}

const xml = { 'content-type': 'application/xml' }

/** What S3 answers when something is wrong. */
export const answer = (status: number, code: string, headers: Record<string, string> = {}): Reply => ({
  status,
  headers: { ...xml, ...headers },
  body: `<Error><Code>${code}</Code><Message>as the test has it</Message></Error>`,
})

/** A bucket in memory, of blobs of one request, on a real socket. It answers what the script says instead. */
export async function scripted(script: Script = () => undefined): Promise<Scripted> {
  const blobs = new Map<string, { bytes: Buffer; writer: string }>()
  const server = createServer(async (req, res) => {
    const parts: Buffer[] = []
    for await (const part of req) parts.push(part)
    const seen = {
      method: req.method ?? '',
      url: new URL(req.url ?? '/', bucket.endpoint),
      headers: req.headers,
    }
    bucket.seen.push(seen)
    const reply = (await bucket.script(seen, bucket.seen.length - 1)) ?? serve(seen, Buffer.concat(parts))
    if (reply === 'reset') return void res.socket?.resetAndDestroy()
    send(res, seen.method, reply)
  })

  function serve({ method, url, headers }: Seen, bytes: Buffer): Reply & object {
    const key = url.pathname
    const found = blobs.get(key)
    if (method === 'PUT') {
      if (found !== undefined && headers['if-none-match']) return refusal(412, 'PreconditionFailed')
      blobs.set(key, { bytes, writer: String(headers['x-amz-meta-ivcap-writer']) })
      return { status: 200, headers: { etag: '"e"' } }
    }
    if (method === 'DELETE') {
      blobs.delete(key)
      return { status: 204 }
    }
    if (url.searchParams.has('list-type')) return listing(url)
    if (/^\/[^/]*\/?$/.test(key)) return { status: 200 }
    if (found === undefined) return refusal(404, 'NoSuchKey')
    const size = String(found.bytes.byteLength)
    return {
      status: 200,
      headers: { etag: '"e"', 'content-length': size, 'x-amz-meta-ivcap-writer': found.writer },
      body: found.bytes.toString(),
    }
  }

  function listing({ pathname, searchParams }: URL): Reply & object {
    const base = `${pathname.replace(/\/$/, '')}/`
    const after = searchParams.get('start-after') ?? ''
    const keys = [...blobs.keys()]
      .map((key) => decodeURIComponent(key.slice(base.length)))
      .filter((key) => key.startsWith(searchParams.get('prefix') ?? '') && key > after)
      .sort()
    const limit = Number(searchParams.get('max-keys') ?? 1000)
    return page(keys.slice(0, limit), keys.length > limit)
  }

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const endpoint = `http://127.0.0.1:${port}`
  const opened: { close(): unknown }[] = []
  onTestFinished(() => {
    for (const one of opened) one.close()
    server.closeAllConnections()
    server.close()
  })
  const options = {
    bucket: 'bucket',
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    retryDelay: 1,
  }
  const open = <T extends { close(): unknown }>(one: T): T => {
    opened.push(one)
    return one
  }
  const bucket: Scripted = {
    endpoint,
    options,
    seen: [],
    script,
    blobs: (o) => open(s3Blobs({ ...options, ...o })),
    backend: (o) => open(s3Backend({ ...options, ...o })),
  }
  return bucket
}

const refusal = (status: number, code: string) => answer(status, code) as Reply & object

/** A page of a list. */
export function page(keys: readonly string[], truncated: boolean, token?: string): Reply & object {
  const contents = keys.map((key) => `<Contents><Key>${key}</Key><Size>1</Size><ETag>"e"</ETag></Contents>`)
  const next = token === undefined ? '' : `<NextContinuationToken>${token}</NextContinuationToken>`
  const body = `<ListBucketResult><IsTruncated>${truncated}</IsTruncated>${next}${contents.join('')}</ListBucketResult>`
  return { status: 200, headers: xml, body }
}

function send(res: ServerResponse, method: string, { status, headers, body = '' }: Reply & object): void {
  res.writeHead(status, headers)
  res.end(method === 'HEAD' ? undefined : body)
}
