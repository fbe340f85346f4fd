import { timestamp } from '@ivcap/core/driver'
import { expect, it } from 'vitest'
import { begin, json, patch, upload } from './support/client.js'
import { started } from './support/server.js'

const named = (name: string) => ({ 'X-Name': Buffer.from(name).toString('base64') })

/** What a listing answers: its ids, in their order, and all of it. */
async function list(url: string, query: Record<string, string>) {
  const body = await json(await fetch(`${url}/1/artifacts?${new URLSearchParams(query)}`))
  const items: unknown[] = Array.isArray(body['items']) ? body['items'] : []
  return { body, names: items.map((item) => Object(item).name) }
}

it('is filtered, ordered, and as of a time', async () => {
  const { url } = await started()
  await upload(url, 'xx', named('b'))
  await upload(url, 'x', named('a'))
  const then = timestamp(Date.now() * 1000)
  await expect.poll(() => timestamp(Date.now() * 1000)).not.toBe(then)
  await upload(url, 'xxx', named('c'))
  expect((await list(url, {})).names).toEqual(['c', 'a', 'b'])
  expect((await list(url, { 'order-desc': 'false' })).names).toEqual(['b', 'a', 'c'])
  expect((await list(url, { 'order-by': 'size', 'order-desc': 'false' })).names).toEqual(['a', 'b', 'c'])
  expect((await list(url, { filter: "name = 'a'" })).names).toEqual(['a'])
  expect((await list(url, { 'at-time': then })).names).toEqual(['a', 'b'])
})

it('tells of each what clients need, in pages that stand for the whole query', async () => {
  const { url } = await started()
  for (const name of ['a', 'b', 'c']) await upload(url, name, named(name))
  const first = await list(url, { limit: '2', 'order-by': 'name', 'order-desc': 'false' })
  expect(first.names).toEqual(['a', 'b'])
  expect(first.body['items']).toMatchObject([
    { size: 1, status: 'ready', 'mime-type': expect.any(String), 'created-at': expect.any(String) },
    { id: expect.stringMatching(/^urn:ivcap:artifact:/), href: expect.stringContaining('/1/artifacts/') },
  ])
  const [, next] = Array.isArray(first.body['links']) ? first.body['links'] : []
  const page = String(next?.href).replace('?page=', '')
  expect((await list(url, { page, limit: '2' })).names).toEqual(['c'])
})

it('does not show what has not all arrived', async () => {
  const { url } = await started()
  const { href } = await begin(url, 4, named('half'))
  await patch(href, 0, 'ab')
  expect((await list(url, {})).names).toEqual([])
  await patch(href, 2, 'cd')
  expect((await list(url, {})).names).toEqual(['half'])
})

it.each([
  ['limit=0', 'limit'],
  ['limit=51', 'limit'],
  ['filter=name', 'filter'],
  ['order-by=colour', 'order-by'],
  ['order-desc=maybe', 'order-desc'],
  ['at-time=yesterday', 'at-time'],
  ['page=x', 'page'],
])('%s is refused, by its name', async (query, name) => {
  const { url } = await started()
  const response = await fetch(`${url}/1/artifacts?${query}`)
  expect(response.status).toBe(422)
  expect(await response.json()).toMatchObject({ name, message: expect.any(String) })
})
