import { once } from 'node:events'
import { createServer, type IncomingMessage, request } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { type AddressInfo, connect, createServer as createTcp, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { deployment, TOKEN } from './support/deployment.js'
import { clientAt, ID, isBlob, json, listening, record } from './support/odd-server.js'
import { selfSigned } from './support/self-signed.js'

const MiB = 1 << 20

beforeEach(() => {
  for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY']) {
    vi.stubEnv(name, '')
    vi.stubEnv(name.toLowerCase(), '')
  }
})
afterEach(() => vi.unstubAllEnvs())

interface Proxied {
  readonly line: string
  readonly headers: IncomingMessage['headers']
}

/**
 * A forward proxy and CONNECT proxy that connects every host to `port` of this machine.
 *
 * @param status what CONNECT is answered with
 */
async function proxy(port: number, status = 200) {
  const requests: Proxied[] = []
  const sockets = new Set<Socket>()
  const server = createServer((incoming, outgoing) => {
    requests.push({ line: `${incoming.method} ${incoming.url}`, headers: incoming.headers })
    const { pathname, search } = new URL(incoming.url ?? '')
    const { method, headers } = incoming
    const forwarded = request({ port, method, path: `${pathname}${search}`, headers }, (response) => {
      outgoing.writeHead(response.statusCode ?? 500, response.headers)
      response.pipe(outgoing)
    })
    incoming.pipe(forwarded)
  })
  server.on('connect', (incoming: IncomingMessage, socket: Socket) => {
    requests.push({ line: `CONNECT ${incoming.url}`, headers: incoming.headers })
    if (status !== 200) {
      socket.end(`HTTP/1.1 ${status} No\r\n\r\n`)
      return
    }
    const target = connect(port, '127.0.0.1', () => socket.write('HTTP/1.1 200 OK\r\n\r\n'))
    for (const end of [socket, target]) sockets.add(end.on('error', () => {}))
    socket.pipe(target).pipe(socket)
  })
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
  })
  return { url: await listening(server), requests }
}

const portOf = (url: string) => Number(new URL(url).port)

async function secureServer(
  handler: (request: IncomingMessage) => { readonly type?: string; readonly body: string | Buffer },
): Promise<number> {
  const server = createSecureServer(selfSigned, (incoming, response) => {
    const { type = 'application/json', body } = handler(incoming)
    response.setHeader('Content-Type', type)
    response.end(body)
  })
  server.on('tlsClientError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

describe('HTTP_PROXY', () => {
  it('carries uploads, downloads and lists of a deployment on plain http', async () => {
    const platform = await deployment()
    const { url, requests } = await proxy(portOf(platform.url))
    vi.stubEnv('HTTP_PROXY', url.replace('//', '//user:p%40ss@'))
    const ivcap = clientAt('http://ivcap.test', { token: TOKEN })
    const content = Buffer.alloc(3 * MiB, 'abc')
    const artifact = await ivcap.uploadArtifact({ name: 'a.bin', content })
    expect(Buffer.compare(Buffer.from(await artifact.bytes()), content)).toBe(0)
    expect((await ivcap.listArtifacts().toArray()).map(({ id }) => id)).toEqual([artifact.id])
    const lines = requests.map(({ line }) => line)
    expect(lines).toContain('POST http://ivcap.test/1/artifacts')
    expect(lines.filter((line) => line.startsWith('PATCH http://ivcap.test/')).length).toBeGreaterThan(0)
    for (const { headers } of requests) {
      expect(headers.host).toBe('ivcap.test')
      expect(headers['proxy-authorization']).toBe(`Basic ${Buffer.from('user:p@ss').toString('base64')}`)
    }
  })

  it.each([
    ['the host', 'other.test,ivcap.test'],
    ['its domain', '.test'],
    ['its domain with a star', '*.test'],
    ['its port', 'ivcap.test:80'],
    ['everything', '*'],
  ])('is not used where NO_PROXY names %s', async (_what, excluded) => {
    const { url, requests } = await proxy(9)
    vi.stubEnv('HTTP_PROXY', url)
    vi.stubEnv('NO_PROXY', excluded)
    const ivcap = clientAt('http://ivcap.test', { retries: 0 })
    await expect(ivcap.getArtifact(ID)).rejects.toMatchObject({ code: 'unavailable' })
    expect(requests).toEqual([])
  })

  it('is used where NO_PROXY names another port, or another host', async () => {
    const platform = await deployment()
    const { url, requests } = await proxy(portOf(platform.url))
    vi.stubEnv('http_proxy', url)
    vi.stubEnv('no_proxy', 'ivcap.test:8080,vcap.test')
    await clientAt('http://ivcap.test', { token: TOKEN }).listArtifacts().toArray()
    expect(requests).toHaveLength(1)
  })

  it('is not used for this machine, nor with proxy: false', async () => {
    const platform = await deployment()
    const { url, requests } = await proxy(9)
    vi.stubEnv('HTTP_PROXY', url)
    await clientAt(platform.url, { token: TOKEN }).listArtifacts().toArray()
    const ivcap = clientAt('http://ivcap.test', { proxy: false, retries: 0 })
    await expect(ivcap.getArtifact(ID)).rejects.toMatchObject({ code: 'unavailable' })
    expect(requests).toEqual([])
  })

  it.each(['http://user:secret@:', 'socks5://user:secret@proxy.test'])(
    'that is no http URL is an error without its text (%s)',
    async (text) => {
      vi.stubEnv('HTTP_PROXY', text)
      const failed = clientAt('http://ivcap.test').getArtifact(ID)
      await expect(failed).rejects.toMatchObject({ code: 'invalid-argument', argument: 'proxy' })
      await expect(failed).rejects.not.toThrow('secret')
    },
  )

  it('that does not run is named, without its password', async () => {
    const gone = createTcp()
    const url = await new Promise<string>((resolve) =>
      gone.listen(0, '127.0.0.1', () => {
        const { port } = gone.address() as AddressInfo
        gone.close(() => resolve(`http://user:secret@127.0.0.1:${port}`))
      }),
    )
    for (const [name, base] of [
      ['HTTP_PROXY', 'http://ivcap.test'],
      ['HTTPS_PROXY', 'https://ivcap.test'],
    ] as const) {
      vi.stubEnv(name, url)
      const failed = clientAt(base, { retries: 1 }).getArtifact(ID)
      await expect(failed).rejects.toMatchObject({ code: 'unavailable', attempts: 2 })
      await expect(failed).rejects.toThrow(`the proxy ${new URL(url).host} can't be reached (ECONNREFUSED)`)
      await expect(failed).rejects.not.toThrow('secret')
    }
  })
})

describe('HTTPS_PROXY', () => {
  it('gets the host alone, and the deployment the token', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0')
    const content = Buffer.alloc(40 * MiB, 'abc')
    const seen: IncomingMessage[] = []
    const port = await secureServer((incoming) => {
      seen.push(incoming)
      return isBlob(incoming)
        ? { type: 'text/plain', body: content }
        : { body: JSON.stringify(record({ size: content.byteLength })) }
    })
    const { url, requests } = await proxy(port)
    vi.stubEnv('HTTPS_PROXY', url)
    const ivcap = clientAt('https://ivcap.test', { token: TOKEN })
    const artifact = await ivcap.getArtifact(ID)
    expect(Buffer.compare(Buffer.from(await artifact.bytes()), content)).toBe(0)
    expect(new Set(requests.map(({ line }) => line))).toEqual(new Set(['CONNECT ivcap.test:443']))
    expect(JSON.stringify(requests)).not.toContain(TOKEN)
    expect(new Set(seen.map(({ headers }) => headers.authorization))).toEqual(new Set([`Bearer ${TOKEN}`]))
  })

  it('keeps one tunnel for requests that follow each other', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0')
    const port = await secureServer(() => ({ body: JSON.stringify(record()) }))
    const { url, requests } = await proxy(port)
    vi.stubEnv('HTTPS_PROXY', url)
    const ivcap = clientAt('https://ivcap.test')
    for (let n = 0; n < 3; n += 1) await ivcap.getArtifact(ID)
    expect(requests.map(({ line }) => line)).toEqual(['CONNECT ivcap.test:443'])
  })

  it.each([
    [407, 'permission-denied', 1],
    [403, 'unavailable', 1],
    [502, 'unavailable', 3],
  ])(
    'that refuses with %i: its error says so, and the write is safe to repeat',
    async (status, code, tries) => {
      const { url, requests } = await proxy(9, status)
      vi.stubEnv('HTTPS_PROXY', url)
      const ivcap = clientAt('https://ivcap.test', { token: TOKEN })
      const failed = ivcap.addAspect(ID, { $schema: 'urn:x:a' })
      await expect(failed).rejects.toMatchObject({ code })
      await expect(failed).rejects.toThrow(`refused to connect (status ${status})`)
      expect(requests.map(({ line }) => line)).toEqual(Array(tries).fill('CONNECT ivcap.test:443'))
      expect(JSON.stringify(requests)).not.toContain(TOKEN)
    },
  )

  it('does not hide a certificate that is not trusted', async () => {
    const port = await secureServer(() => ({ body: '{}' }))
    const { url } = await proxy(port)
    vi.stubEnv('HTTPS_PROXY', url)
    const failed = clientAt('https://ivcap.test').getArtifact(ID)
    await expect(failed).rejects.toThrow('the certificate of ivcap.test is not trusted')
  })

  it('that never answers: an abort closes the connection to it', async () => {
    let onClosed = () => {}
    const closed = new Promise<void>((resolve) => {
      onClosed = resolve
    })
    const stop = new AbortController()
    const server = createTcp((socket) => {
      socket.on('error', () => {}).once('close', onClosed)
      socket.once('data', () => stop.abort(new Error('enough')))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    vi.stubEnv('HTTPS_PROXY', `http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    const failed = clientAt('https://ivcap.test').getArtifact(ID, { signal: stop.signal })
    await expect(failed).rejects.toThrow('enough')
    await closed
  })
})

it('ALL_PROXY applies to both', async () => {
  const server = createServer((_request, response) => json(response, record()))
  const url = await listening(server)
  const through = await proxy(portOf(url))
  vi.stubEnv('ALL_PROXY', through.url)
  expect((await clientAt('http://ivcap.test').getArtifact(ID)).id).toBe(ID)
})
