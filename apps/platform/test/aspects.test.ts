import { expect, it } from 'vitest'
import { backendOf } from '../src/index.js'
import { json } from './support/client.js'
import { started } from './support/server.js'

const ENTITY = 'urn:example:reef:7'
const SCHEMA = 'urn:example:schema:depth.1'

async function server() {
  const { url } = await started({ backend: backendOf('memory', '') })
  const call = (method: string, path: string, body?: string, headers: Record<string, string> = {}) =>
    fetch(`${url}/1/aspects${path}`, {
      method,
      headers: { 'Content-Type': 'application/json', ...headers },
      ...(body !== undefined && { body }),
    })
  const at = (entity = ENTITY, schema = SCHEMA) => `?${new URLSearchParams({ entity, schema })}`
  const add = async (body: object, entity?: string, schema?: string): Promise<string> => {
    const { id } = await json(await call('POST', at(entity, schema), JSON.stringify(body)))
    return String(id)
  }
  const list = async (query: Record<string, string> = {}) => {
    const answer = await json(await call('GET', `?${new URLSearchParams(query)}`))
    const { items, links } = answer
    return { ...answer, items: Array.isArray(items) ? items : [], links: Array.isArray(links) ? links : [] }
  }
  return { url, call, at, add, list }
}

it('is added, read, and told with all that clients need', async () => {
  const { url, call, at } = await server()
  const response = await call('POST', `${at()}&policy=urn:ivcap:policy:mine`, '{"depth":3}')
  const { id } = await json(response)
  expect(response.status).toBe(200)
  expect(await json(await call('GET', `/${id}`))).toEqual({
    id,
    entity: ENTITY,
    schema: SCHEMA,
    'content-type': 'application/json',
    content: { $schema: SCHEMA, $entity: ENTITY, depth: 3 },
    'valid-from': expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
    asserter: expect.stringMatching(/^urn:ivcap:account:/),
    account: expect.stringMatching(/^urn:ivcap:account:/),
    policy: 'urn:ivcap:policy:mine',
    links: [{ rel: 'self', type: 'application/json', href: `${url}/1/aspects/${id}` }],
  })
})

it('what the parameters say counts, whatever the body says of itself', async () => {
  const { add, call } = await server()
  const id = await add({ $schema: 'urn:other:schema', $entity: 'urn:other:entity', n: 1 })
  const content = { $schema: SCHEMA, $entity: ENTITY, n: 1 }
  expect(await json(await call('GET', `/${id}`))).toMatchObject({ schema: SCHEMA, entity: ENTITY, content })
})

it('PUT takes the place of what is there, DELETE closes it', async () => {
  const { add, call, at, list } = await server()
  const first = await add({ n: 1 })
  const { id } = await json(await call('PUT', at(), '{"n":2}'))
  expect((await list()).items.map((a) => a.id)).toEqual([id])
  expect(await json(await call('GET', `/${first}`))).toHaveProperty('valid-to')
  expect(await json(await call('GET', `/${id}`))).toMatchObject({ replaces: first })
  const deleted = await call('DELETE', `/${id}`)
  expect([deleted.status, await deleted.text()]).toEqual([204, ''])
  expect((await list()).items).toEqual([])
  expect((await call('DELETE', `/${id}`)).status).toBe(204)
})

it('a list is of an entity, a schema or a pattern of schemas, as of a time, in an order', async () => {
  const { add, call, list } = await server()
  const one = await add({ n: 1 })
  const { 'valid-from': then } = await json(await call('GET', `/${one}`))
  const two = await add({ n: 2 }, 'urn:example:other')
  const three = await add({ n: 3 }, ENTITY, 'urn:example:note.1')
  const ids = async (query: Record<string, string>) => (await list(query)).items.map((a) => a.id)
  expect(await ids({})).toEqual([three, two, one])
  expect(await ids({ 'order-direction': 'asc' })).toEqual([one, two, three])
  expect(await ids({ entity: ENTITY })).toEqual([three, one])
  expect(await ids({ schema: SCHEMA, entity: ENTITY, filter: '' })).toEqual([one])
  expect(await ids({ schema: 'urn:example:schema%' })).toEqual([two, one])
  expect(await ids({ 'at-time': String(then) })).toEqual([one])
  expect(await ids({ 'order-by': 'schema,entity', 'order-direction': 'ASC' })).toEqual([three, two, one])
})

it('a list has the contents where they are asked for', async () => {
  const { add, list } = await server()
  await add({ n: 1 })
  expect((await list()).items[0]).not.toHaveProperty('content')
  expect((await list({ 'include-content': 'true' })).items[0]?.content).toMatchObject({ n: 1 })
  expect((await list({ 'include-content': 'false' })).items[0]).not.toHaveProperty('content')
})

// known failure: next-parameters
it('the next link is a page alone; it stands for the whole query', async () => {
  const { add, list } = await server()
  for (let n = 0; n < 5; n++) await add({ n })
  await add({ n: 9 }, 'urn:example:other')
  const seen: unknown[] = []
  let query: Record<string, string> = { entity: ENTITY, 'order-direction': 'ASC', 'include-content': 'true' }
  for (let pages = 1; ; pages++) {
    const { items, links } = await list({ ...query, limit: '2' })
    seen.push(...items.map((item) => item.content.n))
    const next = links.find((link) => link.rel === 'next')?.href
    if (next === undefined) break
    expect(next).toMatch(/^\?page=[\w-]+$/)
    // in turn: the page alone, the page beside the query of the first, and the whole link
    const page = next.slice('?page='.length)
    query = pages === 1 ? { page } : { page: next, entity: 'urn:example:other', 'order-direction': 'DESC' }
  }
  expect(seen).toEqual([0, 1, 2, 3, 4])
})

it.each<[string, number, string]>([
  ['limit=0', 422, 'limit'],
  ['limit=51', 422, 'limit'],
  ['limit=x', 422, 'limit'],
  ['order-by=colour', 422, 'order-by'],
  ['order-direction=up', 422, 'order-direction'],
  ['include-content=perhaps', 422, 'include-content'],
  ['at-time=yesterday', 422, 'at-time'],
  ['page=x', 422, 'page'],
  ['filter=a', 422, 'filter'],
  ['content-path=$.a ? (@', 422, 'content-path'],
  ['content-path=$.a.datetime()', 501, 'content-path'],
])('a list with %s is answered with %i', async (query, status, name) => {
  const { url } = await server()
  const response = await fetch(`${url}/1/aspects?${query}`)
  expect(response.status).toBe(status)
  const value = query.slice(query.indexOf('=') + 1)
  expect(await response.json()).toMatchObject({ name, value, message: expect.any(String) })
})

it.each<[string, string, string, Record<string, string>, number]>([
  ['no entity', '?schema=urn:a:b', '{}', {}, 400],
  ['no schema', '?entity=urn:a:b', '{}', {}, 400],
  ['an entity that is none', '?entity=a%20b&schema=urn:a:b', '{}', {}, 422],
  ['a policy that is none', '?entity=urn:a:b&schema=urn:a:b&policy=mine', '{}', {}, 422],
  ['a list for content', '?entity=urn:a:b&schema=urn:a:b', '[]', {}, 400],
  ['broken JSON', '?entity=urn:a:b&schema=urn:a:b', '{"a":', {}, 400],
  ['nothing', '?entity=urn:a:b&schema=urn:a:b', '', {}, 400],
  [
    'something else than JSON',
    '?entity=urn:a:b&schema=urn:a:b',
    'a: 1',
    { 'Content-Type': 'text/yaml' },
    415,
  ],
])('an aspect with %s is refused', async (_, query, body, headers, status) => {
  const { call, list } = await server()
  const response = await call('POST', query, body, headers)
  expect(response.status).toBe(status)
  expect(await response.json()).toMatchObject({ message: expect.any(String) })
  expect((await list()).items).toEqual([])
})

it('an aspect of more than 10 MB is refused, told in advance or not, and the connection stays good', async () => {
  const { url, at, list } = await server()
  const large = `{"a":"${'x'.repeat(11_000_000)}"}`
  const post = (body: string | ReadableStream) =>
    fetch(`${url}/1/aspects${at()}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body,
      ...{ duplex: 'half' },
    })
  expect((await post(large)).status).toBe(413)
  expect((await post(new Blob([large]).stream())).status).toBe(413)
  expect((await list()).items).toEqual([])
})

it.each(['urn:ivcap:aspect:00000000-0000-4000-8000-000000000000', 'urn:file:%2F%2F%2Fetc%2Fpasswd', 'x'])(
  '%s is not found',
  async (id) => {
    const { call } = await server()
    for (const method of ['GET', 'DELETE']) {
      const response = await call(method, `/${id}`)
      expect(response.status).toBe(404)
      expect(await response.json()).toMatchObject({ id: decodeURIComponent(id), message: expect.any(String) })
    }
  },
)
