// Aspects whose answer was lost: looked for, sent again if they are not there, and never stored twice.

import { type Fault, faultProxy } from '@ivcap/conformance/fault-proxy'
import { Ivcap } from '@ivcap/core'
import { expect, it, vi } from 'vitest'
import { platformBackend } from '../src/index.js'
import { deployment, TOKEN } from './support/deployment.js'

const ENTITY = 'urn:example:reef'
const TAG = { $schema: 'urn:example:schema:tag.1', tags: ['coral'] }

async function place() {
  const { url } = await deployment()
  const proxy = await faultProxy(url)
  const backend = platformBackend({ url: proxy.url, token: TOKEN, stateDir: false, retryDelay: 1 })
  const ivcap = new Ivcap(backend, { stateDir: false })
  const stored = () => ivcap.listAspects({ entity: ENTITY, limit: Number.POSITIVE_INFINITY }).toArray()
  let posts = 0
  /** What happens to the first request for a new aspect. */
  const first = (fault: Fault) => {
    posts = 0
    proxy.plan = ({ method }) => (method === 'POST' && posts++ === 0 ? fault : undefined)
  }
  return { ivcap, proxy, stored, first, posts: () => posts }
}

it('is stored once if the answer is lost', async () => {
  const { ivcap, stored, first, posts } = await place()
  first({ kind: 'lose-answer' })
  const { id } = await ivcap.addAspect(ENTITY, TAG)
  expect((await stored()).map((aspect) => aspect.id)).toEqual([id])
  expect(posts()).toBe(1)
})

it('is stored once if the deployment stores it while it is looked for', async () => {
  const { ivcap, stored, first, proxy } = await place()
  const isSearched = () =>
    proxy.open === 0 &&
    proxy.seen.some(({ method, path }) => method === 'GET' && path.includes('/1/aspects?'))
  // the first search has been answered by then, the second is yet to come
  first({ kind: 'late', ms: 0, until: vi.waitUntil(isSearched, { interval: 5, timeout: 60_000 }) })
  const { id } = await ivcap.addAspect(ENTITY, TAG)
  await proxy.settled()
  expect((await stored()).map((aspect) => aspect.id)).toEqual([id])
})

it('is sent again if it is not there', async () => {
  const { ivcap, stored, first, posts } = await place()
  first({ kind: 'status', status: 502 })
  const { id } = await ivcap.addAspect(ENTITY, TAG)
  expect((await stored()).map((aspect) => aspect.id)).toEqual([id])
  expect(posts()).toBe(2)
})

it('is not sent again beside an equal one that is older by its time: the outcome is unknown', async () => {
  const { ivcap, proxy, stored } = await place()
  await ivcap.addAspect(ENTITY, TAG)
  // this machine's clock is an hour ahead of the deployment's, which runs in this process
  const now = Date.now
  const clock = vi.spyOn(Date, 'now').mockImplementation(() => now() + 3_600_000)
  let posts = 0
  proxy.plan = ({ method }) => {
    clock.mockRestore()
    return method === 'POST' && posts++ === 0 ? { kind: 'lose-answer' } : undefined
  }
  const error = await ivcap.addAspect(ENTITY, TAG).catch((reason: unknown) => reason)
  expect(error).toMatchObject({ code: 'unavailable', retryable: false })
  expect(String(error)).toContain('is equal to it')
  expect(posts).toBe(1)
  expect((await stored()).length).toBe(2)
})
