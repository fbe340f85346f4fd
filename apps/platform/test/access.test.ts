import { createSecretKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import { request } from 'node:http'
import { exportJWK, SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { startPlatform } from '../src/index.js'
import { begin, patch, upload } from './support/client.js'
import { folder, started } from './support/server.js'

const bearer = (token: string) => ({ Authorization: `Bearer ${token}` })

describe('a server with a token', () => {
  it('lets in who has it, and tells others what to bring', async () => {
    const { url } = await started({ auth: { token: 'secret' } })
    const statusOf = async (headers: Record<string, string>) =>
      (await fetch(`${url}/1/artifacts`, { headers })).status
    expect(await statusOf(bearer('secret'))).toBe(200)
    expect(await statusOf({ Authorization: 'bearer  secret' })).toBe(200)
    expect(await statusOf(bearer('Secret'))).toBe(401)
    expect(await statusOf({ Authorization: 'Basic secret' })).toBe(401)
    const response = await fetch(`${url}/1/artifacts`)
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toMatch(/^Bearer/)
    expect(await response.json()).toMatchObject({ message: expect.stringContaining('Authorization') })
  })

  it('asks for it for every call, and takes no bytes without', async () => {
    const { url } = await started({ auth: { token: 'secret' } })
    const begun = await fetch(`${url}/1/artifacts`, {
      method: 'POST',
      headers: { ...bearer('secret'), 'X-Content-Length': '3' },
    })
    const href = `${begun.headers.get('location')}/blob`
    expect((await patch(href, 0, 'abc')).status).toBe(401)
    const asked = await fetch(href, {
      method: 'HEAD',
      headers: { 'Tus-Resumable': '1.0.0', ...bearer('secret') },
    })
    expect(asked.headers.get('upload-offset')).toBe('0')
    expect((await patch(href, 0, 'abc', bearer('secret'))).status).toBe(204)
    expect((await fetch(href)).status).toBe(401)
    for (const [method, path] of [
      ['POST', '/1/artifacts'],
      ['GET', '/1/aspects'],
      ['POST', '/1/aspects?entity=urn:a:b&schema=urn:a:b'],
      ['POST', '/1/search'],
      ['GET', '/anything'],
    ] as const) {
      expect((await fetch(url + path, { method })).status).toBe(401)
    }
  })

  it('keeps tokens and queries out of its log', async () => {
    const lines: string[] = []
    const { url } = await started({ auth: { token: 'secret' }, log: (line) => lines.push(line) })
    await fetch(`${url}/1/aspects?filter=private`, { headers: bearer('secret') })
    await fetch(`${url}/1/artifacts`, { headers: bearer('wrong') })
    await expect.poll(() => lines).toHaveLength(2)
    expect(lines[0]).toMatch(/^422 GET \/1\/aspects \d+ ms$/)
    expect(lines[1]).toMatch(/^401 GET \/1\/artifacts \d+ ms$/)
  })
})

describe('a server with a key', () => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
  const signed = (expires: string | number = '1h') =>
    new SignJWT({ sub: 'me' })
      .setProtectedHeader({ alg: 'ES256' })
      .setExpirationTime(expires)
      .sign(privateKey)
  const statusWith = async (jwtKey: string, token: string) => {
    const { url } = await started({ auth: { jwtKey } })
    return (await fetch(`${url}/1/artifacts`, { headers: bearer(token) })).status
  }

  it('trusts what was signed with it: a PEM, a JWK, a set of them', async () => {
    const jwk = await exportJWK(publicKey)
    for (const key of [pem, JSON.stringify(jwk), JSON.stringify({ keys: [jwk] })]) {
      expect(await statusWith(key, await signed())).toBe(200)
    }
  })

  it('does not trust what is expired, forged or of another kind', async () => {
    expect(await statusWith(pem, await signed(1))).toBe(401)
    const [head, , signature] = (await signed()).split('.')
    const forged = Buffer.from('{"sub":"you"}').toString('base64url')
    expect(await statusWith(pem, `${head}.${forged}.${signature}`)).toBe(401)
    // the public key, which everybody has, taken for a shared secret
    const confused = new SignJWT({}).setProtectedHeader({ alg: 'HS256' })
    expect(await statusWith(pem, await confused.sign(createSecretKey(Buffer.from(pem.trim()))))).toBe(401)
    const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${forged}.`
    expect(await statusWith(pem, none)).toBe(401)
    expect(await statusWith(pem, 'no.jwt')).toBe(401)
  })

  it('finds a key behind the text that OpenSSL writes before it, and never takes it for a secret', async () => {
    const bag = `Bag Attributes\n    friendlyName: ivcap\n${pem}`
    expect(await statusWith(bag, await signed())).toBe(200)
    const confused = new SignJWT({ exp: 4_000_000_000 }).setProtectedHeader({ alg: 'HS256' })
    expect(await statusWith(bag, await confused.sign(createSecretKey(Buffer.from(bag.trim()))))).toBe(401)
    for (const text of [bag, pem, '-----BEGIN RSA', JSON.stringify(await exportJWK(publicKey))]) {
      await expect(started({ auth: { jwtSecret: text } })).rejects.toMatchObject({ argument: 'jwtSecret' })
    }
    for (const text of ['no key', '{"broken":', '{}', '{"keys":[]}', '{"kty":"oct","k":"AAAA"}']) {
      await expect(started({ auth: { jwtKey: text } })).rejects.toMatchObject({ argument: 'jwtKey' })
    }
  })

  it('takes a shared secret that is long enough', async () => {
    const secret = randomBytes(32).toString('hex')
    const token = await new SignJWT({ exp: 4_000_000_000 })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new TextEncoder().encode(secret))
    const { url } = await started({ auth: { jwtSecret: secret } })
    expect((await fetch(`${url}/1/artifacts`, { headers: bearer(token) })).status).toBe(200)
    await expect(started({ auth: { jwtSecret: 'short' } })).rejects.toMatchObject({ argument: 'jwtSecret' })
  })

  it('requires an expiry time, the issuer and the audience, as it is told', async () => {
    const status = async (auth: object, claims: object) => {
      const { url } = await started({ auth: { jwtKey: pem, ...auth } })
      const token = await new SignJWT({ ...claims }).setProtectedHeader({ alg: 'ES256' }).sign(privateKey)
      return (await fetch(`${url}/1/artifacts`, { headers: bearer(token) })).status
    }
    const exp = 4_000_000_000
    expect(await status({}, {})).toBe(401)
    expect(await status({ allowNoExpiry: true }, {})).toBe(200)
    expect(await status({ issuer: 'me' }, { exp, iss: 'you' })).toBe(401)
    expect(await status({ issuer: 'me', audience: 'us' }, { exp, iss: 'me' })).toBe(401)
    expect(await status({ issuer: 'me', audience: 'us' }, { exp, iss: 'me', aud: 'us' })).toBe(200)
  })
})

describe('a server without a token', () => {
  const status = (url: string, headers: Record<string, string>, method = 'GET') =>
    new Promise<number | undefined>((resolve, reject) => {
      const asked = request(`${url}/1/artifacts`, { method, headers }, (answer) => {
        answer.resume()
        resolve(answer.statusCode)
      })
      asked.on('error', reject).end()
    })

  it('answers under names of this machine, and those that are allowed', async () => {
    const { url, port } = await started({ hosts: ['ivcap.local'] })
    for (const host of ['localhost', `127.0.0.1:${port}`, '[::1]', 'IVCAP.local:80']) {
      expect(await status(url, { Host: host })).toBe(200)
    }
    for (const host of [
      'evil.example',
      'localhost.evil.example',
      '127.0.0.1.evil.example',
      'ivcap.local.x',
    ]) {
      expect(await status(url, { Host: host })).toBe(403)
    }
  })

  it('refuses pages of other origins even what needs no preflight', async () => {
    const { url } = await started({ hosts: ['ivcap.local'] })
    for (const origin of ['https://evil.example', 'null', 'http://localhost.evil.example']) {
      expect(await status(url, { Origin: origin }, 'POST')).toBe(403)
    }
    for (const origin of ['http://localhost:3000', 'http://ivcap.local:80']) {
      expect(await status(url, { Origin: origin }, 'POST')).toBe(201)
    }
  })
})

describe('pages of other origins', () => {
  const page = (origin: string) => ({ Origin: origin })
  const allowedTo = async (url: string, origin: string) =>
    (await fetch(`${url}/1/artifacts`, { headers: page(origin) })).headers.get('access-control-allow-origin')

  it('may call an open server from this machine alone', async () => {
    const { url } = await started()
    expect(await allowedTo(url, 'http://localhost:5173')).toBe('http://localhost:5173')
    expect(await allowedTo(url, 'https://evil.example')).toBeNull()
    expect(await allowedTo(url, 'http://localhost.evil.example')).toBeNull()
  })

  it('may call one that asks for a token, or those that are listed', async () => {
    const guarded = await started({ auth: { token: 'secret' } })
    expect(await allowedTo(guarded.url, 'https://app.example')).toBe('https://app.example')
    const listed = await started({ origins: ['https://app.example'] })
    expect(await allowedTo(listed.url, 'https://app.example')).toBe('https://app.example')
    expect(await allowedTo(listed.url, 'http://localhost:5173')).toBeNull()
  })

  it('are told what they may send before they send it, without a token', async () => {
    const { url } = await started({ auth: { token: 'secret' } })
    const response = await fetch(`${url}/1/artifacts/x/blob`, {
      method: 'OPTIONS',
      headers: {
        ...page('https://app.example'),
        'Access-Control-Request-Headers': 'authorization,upload-offset',
      },
    })
    expect(response.status).toBe(204)
    expect(response.headers.get('access-control-allow-methods')).toContain('PATCH')
    expect(response.headers.get('access-control-allow-headers')).toBe('authorization,upload-offset')
  })

  it('see how far an upload is, and etags', async () => {
    const { url } = await started()
    const { href } = await begin(url, 3)
    const origin = 'http://localhost:5173'
    const sent = await patch(href, 0, 'abc', page(origin))
    expect(sent.headers.get('access-control-allow-origin')).toBe(origin)
    expect(sent.headers.get('access-control-expose-headers')).toContain('Upload-Offset')
    const got = await fetch(href, { headers: page(origin) })
    expect(got.headers.get('access-control-expose-headers')).toContain('ETag')
  })
})

describe('whatever is asked', () => {
  it.each([
    'urn:file:///etc/passwd',
    'file:///etc/passwd',
    '../../etc/passwd',
    '..%2F..%2Fuploads%2Fx',
    'urn:ivcap:artifact:../x',
    'urn:ivcap:artifact:00000000-0000-4000-8000-000000000000',
    '%00',
  ])('%s is no artifact', async (id) => {
    const { url } = await started()
    await upload(url, 'x')
    const encoded = id.includes('%') ? id : encodeURIComponent(id)
    for (const path of [`/1/artifacts/${encoded}`, `/1/artifacts/${encoded}/blob`]) {
      const response = await fetch(url + path)
      expect(response.status).toBe(404)
      expect(await response.json()).toMatchObject({ message: expect.any(String), id: expect.any(String) })
    }
    const href = `${url}/1/artifacts/${encoded}/blob`
    expect((await patch(href, 0, 'x')).status).toBe(404)
  })

  it('an unknown call, a broken path and too long a header are answered, and the server goes on', async () => {
    const { url } = await started()
    expect((await fetch(`${url}/2/artifacts`)).status).toBe(404)
    expect((await fetch(`${url}/1/artifacts/%zz`)).status).toBe(400)
    expect((await fetch(`${url}/1/artifacts?filter=${'x'.repeat(40_000)}`)).status).toBe(431)
    expect((await fetch(`${url}/1/artifacts`)).status).toBe(200)
  })

  it('a folder that cannot be, or a port that is taken, is an error that says so', async () => {
    await expect(startPlatform({})).rejects.toMatchObject({ code: 'missing-argument', argument: 'dir' })
    const { port } = await started()
    const again = startPlatform({ dir: await folder(), port })
    await expect(again).rejects.toMatchObject({
      argument: 'port',
      message: expect.stringContaining('already'),
    })
    const impossible = startPlatform({ dir: '/dev/null/data' })
    await expect(impossible).rejects.toMatchObject({ argument: 'dir' })
  })
})
