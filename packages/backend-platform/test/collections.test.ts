// What goes over the wire: other clients, and deployments that are not ours, rely on it.

import { type FaultProxy, faultProxy, type Plan } from '@ivcap/conformance/fault-proxy'
import { Ivcap } from '@ivcap/core'
import { expect, it } from 'vitest'
import { platformBackend } from '../src/index.js'
import { deployment, TOKEN } from './support/deployment.js'

const REEF = 'urn:ivcap:collection:0e9c1a52-5c1b-4d5c-8f61-6b1a3c1f6f01'
const ITEM = 'urn:ivcap:artifact:7d9f2c60-0a39-4a7e-9a56-0f3a9d2f4b11'
const DEFINITION = 'urn:ivcap:schema:collection.1'
const MEMBERSHIP = 'urn:ivcap:schema:collection-item.1'

async function place(plan?: Plan): Promise<{ ivcap: Ivcap; proxy: FaultProxy }> {
  const proxy = await faultProxy((await deployment()).url, plan)
  const backend = platformBackend({
    url: proxy.url,
    token: TOKEN,
    stateDir: false,
    retries: 1,
    retryDelay: 1,
  })
  return { ivcap: new Ivcap(backend, { stateDir: false }), proxy }
}

type Asked = Readonly<Record<string, string>> & { readonly method: string }

/** The requests since the last time, with their query. */
function heard({ seen }: FaultProxy): readonly Asked[] {
  return seen.splice(0).map(({ method, path }) => {
    const { pathname, searchParams } = new URL(path, 'http://x')
    const what = /^\/1\/aspects$/.test(pathname) ? {} : { pathname }
    return { method, ...what, ...Object.fromEntries(searchParams) }
  })
}

const methods = (asked: readonly Asked[]) => asked.map(({ method }) => method)

/** The deployment's answer to whether something is in a collection. */
const toTheQuestion =
  (status: number, items: readonly object[] = []): Plan =>
  ({ method, path }) => {
    if (method !== 'GET' || !path.includes('content-path')) return undefined
    const headers = { 'Content-Type': 'application/json' }
    return { kind: 'status', status, headers, body: JSON.stringify({ items, links: [] }) }
  }

const entry = (n: number) => ({
  id: `urn:ivcap:aspect:00000000-0000-4000-8000-00000000000${n}`,
  entity: REEF,
  schema: MEMBERSHIP,
  'content-type': 'application/json',
  'valid-from': '2026-01-01T00:00:00.000000Z',
})

it('a new collection is added, an old one replaced', async () => {
  const { ivcap, proxy } = await place()
  const question = { entity: REEF, schema: DEFINITION, limit: '1', 'include-content': 'false' }
  await ivcap.createCollection({ id: REEF, name: 'Reef' })
  expect(heard(proxy)).toMatchObject([
    { method: 'GET', ...question },
    { method: 'POST', entity: REEF, schema: DEFINITION },
  ])
  await ivcap.createCollection({ id: REEF, name: 'Reef 7', description: 'of 2026' })
  expect(heard(proxy)).toMatchObject([
    { method: 'GET', ...question },
    { method: 'PUT', entity: REEF, schema: DEFINITION },
  ])
  expect(`${await ivcap.getCollection(REEF)}`).toBe(`Collection ${REEF} (Reef 7)`)
})

it('a collection whose URN is chosen here needs no question', async () => {
  const { ivcap, proxy } = await place()
  const { id } = await ivcap.createCollection({ name: 'Reef' })
  expect(id).toMatch(/^urn:ivcap:collection:[0-9a-f-]{36}$/)
  expect(heard(proxy)).toMatchObject([{ method: 'POST', entity: id }])
})

it('an item is asked for, then added', async () => {
  const { ivcap, proxy } = await place(toTheQuestion(200))
  expect(await ivcap.addToCollection(REEF, ITEM)).toMatchObject({ collection: REEF, item: ITEM })
  expect(heard(proxy)).toMatchObject([
    {
      method: 'GET',
      entity: REEF,
      schema: MEMBERSHIP,
      'content-path': `$.item ? (@ == "${ITEM}")`,
      'include-content': 'false',
      limit: '1',
    },
    { method: 'POST', entity: REEF, schema: MEMBERSHIP },
  ])
})

it('an item that is in there already is not added', async () => {
  const { ivcap, proxy } = await place(toTheQuestion(200, [entry(1)]))
  expect(await ivcap.addToCollection(REEF, ITEM)).toBeUndefined()
  expect(methods(heard(proxy))).toEqual(['GET'])
})

it.each([400, 404, 422, 500, 501, 503])(
  'a question that fails with %i: added all the same',
  async (status) => {
    const { ivcap, proxy } = await place(toTheQuestion(status))
    expect(await ivcap.addToCollection(REEF, ITEM)).toMatchObject({ item: ITEM })
    expect(methods(heard(proxy)).filter((method) => method !== 'GET')).toEqual(['POST'])
    expect(await ivcap.listAspects({ entity: REEF, schema: MEMBERSHIP }).toArray()).toHaveLength(1)
  },
)

it('what is not in a collection is not taken out', async () => {
  const { ivcap, proxy } = await place(toTheQuestion(200))
  expect(await ivcap.removeFromCollection(REEF, ITEM)).toBe(false)
  expect(heard(proxy)).toMatchObject([{ method: 'GET', 'content-path': `$.item ? (@ == "${ITEM}")` }])
})

it('an item leaves with all its entries', async () => {
  const { ivcap, proxy } = await place((seen) =>
    seen.method === 'DELETE' ? { kind: 'status', status: 204 } : answer(seen, 0),
  )
  const answer = toTheQuestion(200, [entry(1), entry(2)])
  expect(await ivcap.removeFromCollection(REEF, ITEM)).toBe(true)
  expect(methods(heard(proxy))).toEqual(['GET', 'DELETE', 'DELETE'])
})

it('a failing question takes nothing out', async () => {
  const { ivcap, proxy } = await place(toTheQuestion(422))
  await expect(ivcap.removeFromCollection(REEF, ITEM)).rejects.toMatchObject({ code: 'invalid-argument' })
  expect(methods(heard(proxy))).toEqual(['GET'])
})

it('where content paths are unknown, entries are read and compared', async () => {
  const { ivcap, proxy } = await place(toTheQuestion(501))
  for (const n of [1, 2, 3]) await ivcap.addToCollection(REEF, `${ITEM}${n}`)
  heard(proxy)
  expect(await ivcap.removeFromCollection(REEF, ITEM)).toBe(false)
  expect(await ivcap.removeFromCollection(REEF, `${ITEM}2`)).toBe(true)
  expect(methods(heard(proxy))).toEqual(['GET', 'GET', 'GET', 'GET', 'DELETE'])
})

it('the URN in the content path is escaped', async () => {
  const { ivcap, proxy } = await place(toTheQuestion(200))
  const sly = 'urn:file:///data/a"b\\c || true) ? (@ != "'
  await ivcap.addToCollection(REEF, sly)
  await ivcap.removeFromCollection(REEF, sly)
  const path = '$.item ? (@ == "urn:file:///data/a\\"b\\\\c || true) ? (@ != \\"")'
  const asked = heard(proxy).filter(({ method }) => method === 'GET')
  expect(asked.map((query) => query['content-path'])).toEqual([path, path])
})

it('items are retracted before the definition', async () => {
  const { ivcap, proxy } = await place(toTheQuestion(200))
  const { record } = await ivcap.createCollection({ id: REEF, name: 'Reef' })
  for (let n = 0; n < 60; n++) await ivcap.addToCollection(REEF, `${ITEM}${n}`)
  heard(proxy)
  expect(await ivcap.retractCollection(REEF)).toBe(61)
  const deleted = heard(proxy).filter(({ method }) => method === 'DELETE')
  expect(deleted).toHaveLength(61)
  expect(decodeURIComponent(`${deleted.at(-1)?.['pathname']}`)).toBe(`/1/aspects/${record.id}`)
})

it('an interrupted retraction leaves the definition, and is taken up again', async () => {
  const { ivcap, proxy } = await place(toTheQuestion(200))
  await ivcap.createCollection({ id: REEF, name: 'Reef' })
  for (let n = 0; n < 3; n++) await ivcap.addToCollection(REEF, `${ITEM}${n}`)
  let left = 1
  proxy.plan = ({ method }) =>
    method === 'DELETE' && left-- <= 0 ? { kind: 'status', status: 403 } : undefined
  await expect(ivcap.retractCollection(REEF)).rejects.toMatchObject({ code: 'permission-denied' })
  expect((await ivcap.getCollection(REEF)).name).toBe('Reef')
  proxy.plan = () => undefined
  expect(await ivcap.retractCollection(REEF)).toBe(3)
  await expect(ivcap.getCollection(REEF)).rejects.toMatchObject({ code: 'not-found', resource: REEF })
})

it('what is no collection is not found, and nothing of it is retracted', async () => {
  const { ivcap, proxy } = await place(toTheQuestion(200))
  await ivcap.addToCollection(REEF, ITEM)
  heard(proxy)
  for (const call of [ivcap.getCollection(REEF), ivcap.retractCollection(REEF)]) {
    await expect(call).rejects.toMatchObject({ code: 'not-found', resource: REEF })
  }
  expect(methods(heard(proxy))).toEqual(['GET', 'GET'])
})

it('names are filtered by content path', async () => {
  const { ivcap, proxy } = await place(toTheQuestion(200, [{ ...entry(1), content: { name: 'CTD 1' } }]))
  const listing = ivcap.listCollections({ nameFilter: 'starts with "CTD"', limit: 3 })
  expect(heard(proxy)).toEqual([])
  expect((await listing.toArray()).map(({ name }) => name)).toEqual(['CTD 1'])
  expect(heard(proxy)).toMatchObject([
    { method: 'GET', schema: DEFINITION, 'content-path': '$.name ? (@ starts with "CTD")', limit: '3' },
  ])
})
