import { createServer as createTlsServer } from 'node:https'
import { connect, createServer as createNetServer } from 'node:net'
import { describe, expect, it, vi } from 'vitest'
import { deployment, TOKEN } from './support/deployment.js'
import { clientAt, clientOf, ID, json, listening, record } from './support/odd-server.js'
import { selfSigned } from './support/self-signed.js'

const ENTITY = 'urn:example:entity'
const SCHEMA = 'urn:example:schema.1'

/** A deployment behind a server that closes every connection after its answer, without having said so. */
async function closing(lose: (request: string) => boolean = () => false) {
  const platform = await deployment()
  const { port, hostname } = new URL(platform.url)
  const server = createNetServer((client) => {
    const upstream = connect(Number(port), hostname)
    let request = ''
    let answer = ''
    client.on('data', (bytes) => {
      request += bytes.toString('latin1')
      upstream.write(bytes)
    })
    for (const socket of [client, upstream]) socket.on('error', () => {})
    client.on('close', () => upstream.destroy())
    upstream.on('data', (bytes) => {
      answer += bytes.toString('latin1')
      const head = answer.indexOf('\r\n\r\n')
      const length = Number(/content-length: (\d+)/i.exec(answer)?.[1] ?? Number.NaN)
      if (head < 0 || !(answer.length >= head + 4 + length || answer.startsWith('HTTP/1.1 204'))) return
      if (!lose(request)) client.end(answer, 'latin1')
      else client.destroy()
      upstream.destroy()
    })
  })
  const url = await new Promise<string>((resolve) =>
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      resolve(`http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`)
    }),
  )
  return { url, direct: platform.url, close: () => server.close() }
}

it('a server that closes kept connections unannounced loses no write, and stores none twice', async () => {
  const { url, direct, close } = await closing()
  const ivcap = clientAt(url, { token: TOKEN, retries: 0 })
  for (let k = 0; k < 10; k += 1) {
    await ivcap.addAspect(ENTITY, { $schema: SCHEMA, k })
    await ivcap.uploadArtifact({ name: `${k}`, content: `${k}`, contentType: 'text/plain', retries: 0 })
  }
  const there = clientAt(direct, { token: TOKEN })
  expect(await there.listAspects({ entity: ENTITY, limit: 50 }).toArray()).toHaveLength(10)
  close()
})

it('after a kept connection was closed unannounced, writes use new connections and look up nothing', async () => {
  const used = new WeakSet<object>()
  const { ivcap, requests } = await clientOf(({ method, socket }, response) => {
    if (used.has(socket)) return void socket.destroy()
    used.add(socket)
    json(response, method === 'GET' ? { items: [], links: [] } : { id: ID.replace('artifact', 'aspect') })
  })
  await ivcap.addAspect(ENTITY, { $schema: SCHEMA, k: 0 })
  expect(requests).toEqual(['POST /1/aspects'])
  // finds its connection closed, and looks for what it may have stored
  await ivcap.addAspect(ENTITY, { $schema: SCHEMA, k: 1 })
  expect(requests).toContain('GET /1/aspects')
  const before = requests.length
  for (let k = 2; k < 6; k += 1) await ivcap.addAspect(ENTITY, { $schema: SCHEMA, k })
  expect(requests.slice(before)).toEqual(Array(4).fill('POST /1/aspects'))
})

describe('certificates', () => {
  it('one that is not trusted is final at once, and named', async () => {
    const server = createTlsServer({ key: selfSigned.key, cert: selfSigned.cert })
    let connections = 0
    server.on('connection', () => {
      connections += 1
    })
    const url = (await listening(server)).replace('http:', 'https:')
    const failed = clientAt(url).listArtifacts().toArray()
    await expect(failed).rejects.toMatchObject({ retryable: false })
    await expect(failed).rejects.toThrow(/certificate of .* is not trusted.*NODE_EXTRA_CA_CERTS/)
    expect(connections).toBe(1)
  })

  it.each([
    ['CERT_HAS_EXPIRED', /expired/],
    ['ERR_TLS_CERT_ALTNAME_INVALID', /other host names/],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', /not trusted/],
    ['ENOTFOUND', /not known/],
  ])('%s is final', async (code, message) => {
    const fetch = vi.fn(async () => {
      throw new TypeError('fetch failed', { cause: Object.assign(new Error('x'), { code }) })
    })
    const ivcap = clientAt('https://api.example.com', { fetch })
    const failed = ivcap.addAspect(ENTITY, { $schema: SCHEMA })
    await expect(failed).rejects.toMatchObject({ retryable: false, code: 'unavailable' })
    await expect(failed).rejects.toThrow(message)
    expect(fetch).toHaveBeenCalledOnce()
  })
})

it.each(['http://127.0.0.1:1/x', 'https://elsewhere.example/x'])(
  'a write that is redirected to %s fails, and says so',
  async (location) => {
    const { ivcap, requests } = await clientOf((_, response) => {
      response.writeHead(302, { location }).end()
    })
    const writes = [
      ivcap.addAspect(ENTITY, { $schema: SCHEMA }),
      ivcap.uploadArtifact({ name: 'a', content: 'a', contentType: 'text/plain' }),
    ]
    for (const write of writes) {
      await expect(write).rejects.toMatchObject({ code: 'protocol', retryable: false })
      await expect(write).rejects.toThrow(/redirect/)
      await expect(write).rejects.not.toThrow(/not known/)
    }
    expect(requests.sort()).toEqual(['POST /1/artifacts', 'POST /1/aspects'])
  },
)

describe('nothing waits for ever', () => {
  it('an answer 101 is an error', async () => {
    const server = createNetServer((socket) => {
      socket.on('error', () => {})
      socket.on('data', () => socket.write('HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'))
    })
    server.listen(0, '127.0.0.1')
    const port = await vi.waitUntil(() => {
      const address = server.address()
      return typeof address === 'object' ? address?.port : undefined
    })
    const failed = clientAt(`http://127.0.0.1:${port}`, { retries: 0 }).getArtifact(ID)
    await expect(failed).rejects.toMatchObject({ code: 'protocol' })
    server.close()
  })

  const never = new Promise<never>(() => {})
  it.each([
    ['a token function', { token: () => never }],
    ['a fetch', { fetch: () => never }],
    [
      'a body',
      { fetch: async () => new Response(new ReadableStream({ pull: () => never, cancel: () => never })) },
    ],
  ])('%s that never answers and hears no signal is left behind', async (_, options) => {
    const ivcap = clientAt('http://127.0.0.1:9', {
      ...options,
      connectTimeout: 50,
      idleTimeout: 50,
      retries: 0,
    })
    await expect(ivcap.getArtifact(ID)).rejects.toMatchObject({ code: 'timeout' })
    const stop = new AbortController()
    const patient = clientAt('http://127.0.0.1:9', { ...options, retries: 0 })
    const aborted = patient.getArtifact(ID, { signal: stop.signal })
    stop.abort('enough')
    await expect(aborted).rejects.toBe('enough')
    await expect(patient.getArtifact(ID, { timeout: 50 })).rejects.toMatchObject({ code: 'timeout' })
  })
})

describe('listings', () => {
  it.each([
    [
      'go in a circle',
      (page: number) => ({ items: [record({ id: idOf(page % 3) })], next: `${(page + 1) % 3}` }),
    ],
    ['are empty for ever', (page: number) => ({ items: [], next: `${page + 1}` })],
    ['repeat under new cursors', (page: number) => ({ items: [record()], next: `${page + 1}` })],
  ])('pages that %s are an error after a bounded number of requests', async (_, pageOf) => {
    const { ivcap, requests } = await clientOf((request, response) => {
      const page = Number(new URL(request.url ?? '', 'http://x').searchParams.get('page') ?? 0)
      const { items, next } = pageOf(page)
      json(response, { items, links: [{ rel: 'next', href: `/1/artifacts?page=${next}` }] })
    })
    const all = ivcap.listArtifacts({ limit: Number.POSITIVE_INFINITY }).toArray()
    await expect(all).rejects.toMatchObject({ code: 'protocol', retryable: false })
    expect(requests.length).toBeLessThan(110)
  })

  const idOf = (n: number) => ID.replace(/^(.*:)\d/, `$1${n}`)

  it('an item that is not valid is left out and told, the others are listed', async () => {
    const { ivcap, events } = await clientOf((_, response) =>
      json(response, {
        items: [record(), record({ size: -5 }), { name: 'no id' }, null, record()],
        links: [],
      }),
    )
    expect(await ivcap.listArtifacts().toArray()).toHaveLength(2)
    expect(events).toMatchObject([
      { kind: 'left-out', resource: ID, message: expect.stringContaining('size') },
      { kind: 'left-out', resource: expect.stringContaining('/1/artifacts') },
      { kind: 'left-out', resource: expect.stringContaining('/1/artifacts') },
    ])
  })

  it('times at the edge spoil neither a record nor a list', async () => {
    const times = {
      'created-at': '9999-12-31T23:59:59-14:00',
      'last-modified-at': '0000-01-01T00:00:00+14:00',
    }
    const { ivcap } = await clientOf((_, response) => json(response, { items: [record(times)], links: [] }))
    const [artifact] = await ivcap.listArtifacts().toArray()
    expect([artifact?.id, artifact?.createdAt, artifact?.lastModifiedAt]).toEqual([ID, undefined, undefined])
  })
})

describe('what a server says', () => {
  it.each(['constructor', '__proto__', 'toString', 'page'])('its name %s is told as a text', async (name) => {
    const { ivcap } = await clientOf((_, response) => json(response, { message: 'no', name }, 400))
    await expect(ivcap.getArtifact(ID)).rejects.toMatchObject({ argument: name === 'page' ? 'cursor' : name })
  })

  it('control characters stand in no message', async () => {
    const { ivcap } = await clientOf((_, response) =>
      json(response, { message: '\u001b[2J\u0007\r\nINFO \u202eall is well\u009b', name: '\u001b]0;x' }, 400),
    )
    const error = await ivcap.getArtifact(ID).catch((e) => e)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(`${error.message}${error.argument}`).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/)
    expect(error.message).toContain('all is well')
  })

  it('the record of another id is a protocol error', async () => {
    const other = ID.replaceAll('1', '2')
    const { ivcap } = await clientOf((request, response) =>
      json(response, record({ id: other, entity: 'urn:x:y', schema: 'urn:x:z', request: request.url })),
    )
    const uuid = '11111111-1111-4111-8111-111111111111'
    for (const get of [
      () => ivcap.getArtifact(ID),
      () => ivcap.getAspect(uuid),
      () => ivcap.getService(`urn:ivcap:service:${uuid}`),
    ])
      await expect(get()).rejects.toMatchObject({ code: 'protocol', message: expect.stringContaining(other) })
  })

  it.each([
    ['2147484', 2_147_484_000],
    ['9'.repeat(400), Number.MAX_SAFE_INTEGER],
    ['1.5', undefined],
    ['-5', undefined],
    ['soon', undefined],
  ])('Retry-After: %s', async (header, expected) => {
    const { ivcap, requests } = await clientOf(
      (_, response) => response.writeHead(503, { 'retry-after': header }).end(),
      { retries: header === '1.5' ? 0 : 1 },
    )
    const error = await ivcap
      .listArtifacts()
      .toArray()
      .catch((e) => e)
    expect(error.retryAfter).toBe(header === '1.5' ? 1500 : expected)
    expect(requests).toHaveLength(expected === undefined && header !== '1.5' ? 2 : 1)
  })
})
