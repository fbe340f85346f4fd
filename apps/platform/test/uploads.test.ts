import { describe, expect, it } from 'vitest'
import { begin, patch, progress, recordOf, upload } from './support/client.js'
import { folder, started } from './support/server.js'

const base64 = (text: string) => Buffer.from(text).toString('base64')
const textOf = async (href: string) => (await fetch(href)).text()

describe('an upload', () => {
  it('is pending, then partial, then ready', async () => {
    const { url } = await started()
    const { response, id, href } = await begin(url, 5, {
      'X-Content-Type': 'text/plain; charset=utf-8',
      'X-Name': base64('Grüße 🐠.txt'),
      'X-Policy': 'urn:ivcap:policy:mine',
    })
    expect(response.status).toBe(201)
    expect(response.headers.get('location')).toBe(`${url}/1/artifacts/${id}`)
    const known = { id, name: 'Grüße 🐠.txt', size: 5, 'mime-type': 'text/plain; charset=utf-8' }
    expect(await recordOf(url, id)).toMatchObject({ ...known, status: 'pending' })
    expect((await fetch(href)).status).toBe(404)

    const first = await patch(href, 0, 'hel')
    expect([first.status, first.headers.get('upload-offset')]).toEqual([204, '3'])
    expect(await recordOf(url, id)).toMatchObject({ ...known, status: 'partial' })

    expect((await patch(href, 3, 'lo')).status).toBe(204)
    const policy = 'urn:ivcap:policy:mine'
    expect(await recordOf(url, id)).toMatchObject({ ...known, status: 'ready', policy, 'data-href': href })
    expect(await textOf(href)).toBe('hello')
  })

  it('of 0 bytes is ready at once', async () => {
    const { url } = await started()
    const { id, href } = await begin(url, 0)
    expect(await recordOf(url, id)).toMatchObject({ status: 'ready', size: 0 })
    expect(await textOf(href)).toBe('')
    expect((await patch(href, 0, '')).status).toBe(204)
  })

  it.each([0, 6])('of a size that is told at the end: %i bytes', async (size) => {
    const { url } = await started()
    const { id, href } = await begin(url, -1)
    const asked = await progress(href)
    expect(asked.headers.get('upload-defer-length')).toBe('1')
    expect(asked.headers.get('upload-length')).toBeNull()
    const content = 'x'.repeat(size)
    if (size > 0) expect((await patch(href, 0, content, { 'Upload-Defer-Length': '1' })).status).toBe(204)
    expect((await recordOf(url, id))['status']).toBe(size > 0 ? 'partial' : 'pending')
    expect((await patch(href, size, '', { 'Upload-Length': String(size) })).status).toBe(204)
    expect(await recordOf(url, id)).toMatchObject({ status: 'ready', size })
    expect(await textOf(href)).toBe(content)
  })

  it('tells how far it is, also when it is an artifact long since', async () => {
    const { url } = await started()
    const { href } = await begin(url, 4)
    await patch(href, 0, 'ab')
    const half = await progress(href)
    expect([half.headers.get('upload-offset'), half.headers.get('upload-length')]).toEqual(['2', '4'])
    await patch(href, 2, 'cd')
    const whole = await progress(href)
    expect([whole.status, whole.headers.get('upload-offset')]).toEqual([200, '4'])
    expect((await patch(href, 4, '')).status).toBe(204)
    expect((await patch(href, 2, 'cd')).status).toBe(409)
    expect(await textOf(href)).toBe('abcd')
  })

  it('takes no bytes at another offset, and none too many', async () => {
    const { url } = await started()
    const { href } = await begin(url, 4)
    expect((await patch(href, 2, 'cd')).status).toBe(409)
    expect((await patch(href, 0, 'abcdef')).status).toBe(413)
    expect((await progress(href)).headers.get('upload-offset')).toBe('0')
  })

  it('goes on after a restart', async () => {
    const dir = await folder()
    const before = await started({ dir })
    const { id, href } = await begin(before.url, 6, { 'X-Content-Type': 'a/b', 'X-Name': base64('n') })
    await patch(href, 0, 'abc')
    await before.close()
    const after = await started({ dir })
    const there = href.replace(before.url, after.url)
    expect(await recordOf(after.url, id)).toMatchObject({ status: 'partial', name: 'n', 'mime-type': 'a/b' })
    expect((await progress(there)).headers.get('upload-offset')).toBe('3')
    await patch(there, 3, 'def')
    expect(await recordOf(after.url, id)).toMatchObject({ status: 'ready', size: 6 })
    expect(await textOf(there)).toBe('abcdef')
  })

  it('of a name that is in use leaves the other alone', async () => {
    const { url } = await started()
    const name = { 'X-Name': base64('same') }
    const first = await upload(url, 'first', name)
    const second = await upload(url, 'second', name)
    expect(second.id).not.toBe(first.id)
    expect(await textOf(first.href)).toBe('first')
  })

  it.each<[string, Record<string, string>, string]>([
    ['a name that is not base64', { 'X-Name': 'ü?' }, 'X-Name'],
    ['a name that is not UTF-8', { 'X-Name': '/w==' }, 'X-Name'],
    ['a name that is too long', { 'X-Name': base64('n'.repeat(1025)) }, 'X-Name'],
    ['a type that is none', { 'X-Content-Type': 'text' }, 'X-Content-Type'],
    ['a size that is none', { 'X-Content-Length': '1e3' }, 'X-Content-Length'],
    ['a policy that is none', { 'X-Policy': 'mine' }, 'X-Policy'],
    ['a collection that is none', { 'X-Collection': 'reef' }, 'X-Collection'],
  ])('with %s is refused', async (_, headers, name) => {
    const { url } = await started()
    const response = await fetch(`${url}/1/artifacts`, { method: 'POST', headers })
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ name, message: expect.stringContaining(name) })
  })

  it('of bytes sent with the creation is not supported, and says where they go', async () => {
    const { url } = await started()
    const response = await fetch(`${url}/1/artifacts`, { method: 'POST', body: 'bytes' })
    expect(response.status).toBe(501)
    expect(await response.text()).toContain('data-href')
  })
})

it('takes the method from X-HTTP-Method-Override, and refuses any that is none', async () => {
  const { url } = await started()
  const { href } = await begin(url, 3)
  const send = (method: string) =>
    fetch(href, {
      method: 'POST',
      body: 'abc',
      headers: {
        'X-HTTP-Method-Override': method,
        'Tus-Resumable': '1.0.0',
        'Upload-Offset': '0',
        'Content-Type': 'application/offset+octet-stream',
      },
    })
  expect((await send('GET')).status).toBe(400)
  expect((await send('PATCH')).headers.get('upload-offset')).toBe('3')
  expect(await (await fetch(href)).text()).toBe('abc')
})

it('the upload is that of the path, whatever the query says', async () => {
  const { url } = await started()
  const [one, other] = [await begin(url, 3), await begin(url, 3)]
  expect((await patch(`${one.href}?a=/${other.id}/blob`, 0, 'abc')).status).toBe(204)
  expect(await (await fetch(one.href)).text()).toBe('abc')
  expect((await fetch(other.href)).status).toBe(404)
})

it('takes no more unfinished uploads than it may, until one is finished', async () => {
  const { url } = await started({ maxPending: 2 })
  const [first] = [await begin(url, 3), await begin(url, 3)]
  const refused = await begin(url, 3)
  expect([refused.response.status, refused.response.headers.get('retry-after')]).toEqual([429, '10'])
  expect((await patch(first?.href ?? '', 0, 'abc')).status).toBe(204)
  expect((await begin(url, 3)).response.status).toBe(201)
})

it.each(['a', 'YWJjZ', '=', Buffer.from('a\nb').toString('base64')])(
  'the name %s is refused',
  async (name) => {
    const { url } = await started()
    const { response } = await begin(url, 0, { 'X-Name': name })
    expect(response.status).toBe(400)
  },
)

it('a method that a path does not have is 405 with those that it has', async () => {
  const { url } = await started()
  const answer = await fetch(`${url}/1/artifacts`, { method: 'DELETE' })
  expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, POST, OPTIONS'])
  expect((await fetch(`${url}/1/nothing`, { method: 'DELETE' })).status).toBe(404)
})
