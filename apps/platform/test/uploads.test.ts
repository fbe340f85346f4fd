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
