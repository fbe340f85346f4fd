import { type FaultProxy, faultProxy, type Plan } from '@ivcap/conformance/fault-proxy'
import { contentSource } from '@ivcap/core/driver'
import { expect, it } from 'vitest'
import { platformBackend } from '../src/index.js'
import { collect, draft, someBytes, transfer } from './support/content.js'
import { deployment, TOKEN } from './support/deployment.js'
import { type Foreign, foreignServer } from './support/foreign.js'

const bytes = someBytes(5000)
const once = { ...transfer, retries: 0 }

async function place(plan?: Plan): Promise<{ proxy: FaultProxy; foreign: Foreign; url: string }> {
  const { url } = await deployment()
  return { proxy: await faultProxy(url, plan), foreign: await foreignServer(bytes), url }
}

const connect = (url: string, trustOrigins: readonly string[] = []) =>
  platformBackend({ url, token: TOKEN, stateDir: false, trustOrigins })

const to = (location: string, status: number) =>
  ({ kind: 'status', status, headers: { Location: location } }) as const

// known failure: foreign-redirect
it.each([301, 302, 303, 307, 308])('an upload is not sent elsewhere by a %i, at any step', async (status) => {
  for (const verb of ['POST', 'HEAD', 'PATCH']) {
    const { proxy, foreign } = await place()
    let failed = 0
    proxy.plan = ({ method }) => {
      if (method === verb) return to(`${foreign.url}/x`, status)
      // how far it got is asked after a failure alone
      return method === 'PATCH' && failed++ === 0 ? { kind: 'status', status: 500 } : undefined
    }
    const refused = connect(proxy.url).artifacts.create(contentSource(bytes), draft, transfer)
    await expect(refused).rejects.toMatchObject({ code: 'protocol', retryable: false })
    expect(foreign.heard).toEqual([])
  }
})

it.each([307, 308])('an upload follows a %i to another path of the deployment', async (status) => {
  const { proxy } = await place()
  proxy.plan = ({ method, path }) =>
    method === 'PATCH' && !path.includes('?') ? to(`${path}?moved`, status) : undefined
  const backend = connect(proxy.url)
  const { id } = await backend.artifacts.create(contentSource(bytes), draft, once)
  expect(await collect((await backend.artifacts.read(id, {})).body)).toEqual(bytes)
})

it.each([301, 302, 303, 307, 308])(
  'content is fetched elsewhere after a %i, without the token',
  async (status) => {
    const { proxy, foreign } = await place()
    const backend = connect(proxy.url)
    const { id } = await backend.artifacts.create(contentSource(bytes), draft, once)
    proxy.plan = ({ path }) =>
      path.endsWith('/blob') ? to(`${foreign.url}/b?sig=secret`, status) : undefined
    expect(await collect((await backend.artifacts.read(id, {})).body)).toEqual(bytes)
    // a storage that knows no ranges: what comes before is skipped
    const { body } = await backend.artifacts.read(id, { range: { start: 10, end: 20 } })
    expect(await collect(body)).toEqual(bytes.subarray(10, 20))
    expect(foreign.heard).toHaveLength(2)
    for (const heard of foreign.heard)
      expect(heard.toLowerCase()).not.toMatch(/authorization|canary|if-match/)
  },
)

// known failure: foreign-redirect
it('who has gone elsewhere does not come back with the token', async () => {
  const { url, proxy, foreign } = await place()
  const backend = connect(proxy.url)
  const { id } = await backend.artifacts.create(contentSource(bytes), draft, once)
  const elsewhere = await faultProxy(url, ({ path }) => to(`${proxy.url}${path}?back`, 307))
  proxy.plan = ({ path }) => (path.endsWith('/blob') ? to(`${elsewhere.url}${path}`, 307) : undefined)
  await expect(backend.artifacts.read(id, {})).rejects.toMatchObject({ code: 'unauthenticated' })
  expect(proxy.seen.at(-1)?.path).toContain('?back')
  expect(proxy.seen.at(-1)?.headers.authorization).toBeUndefined()
  expect(foreign.heard).toEqual([])
})

it('redirects without an end, or to nowhere, are errors', async () => {
  const { proxy } = await place(({ path }) => to(path, 302))
  const { artifacts } = connect(proxy.url)
  const list = artifacts.list({ limit: 1, orderDesc: true }, {})
  await expect(list).rejects.toMatchObject({ code: 'protocol' })
  proxy.plan = () => ({ kind: 'status', status: 302 })
  await expect(artifacts.list({ limit: 1, orderDesc: true }, {})).rejects.toMatchObject({ code: 'protocol' })
  proxy.plan = () => to('javascript:alert(1)', 302)
  await expect(artifacts.list({ limit: 1, orderDesc: true }, {})).rejects.toMatchObject({ code: 'protocol' })
})

it.each([
  ['another host', (foreign: string, path: string) => `${foreign}${path}`],
  [
    'a user name like the host',
    (foreign: string, path: string) => `http://127.0.0.1@${foreign.slice(7)}${path}`,
  ],
  ['another port and a query', (foreign: string, path: string) => `${foreign}${path}?x=1`],
  ['no scheme', (foreign: string, path: string) => `${foreign.slice(5)}${path}`],
])('a data-href with %s is used on the deployment', async (_, hrefOf) => {
  const { proxy, foreign } = await place()
  proxy.plan = ({ method, path }) =>
    method === 'POST' || !path.includes('/blob')
      ? {
          kind: 'edit',
          edit: (json) =>
            json.replace(
              /"data-href":"http:\/\/[^/]+(\/[^"]*)"/,
              (_all, p) => `"data-href":"${hrefOf(foreign.url, p)}"`,
            ),
        }
      : undefined
  const backend = connect(proxy.url)
  const { id } = await backend.artifacts.create(contentSource(bytes), draft, once)
  expect(await collect((await backend.artifacts.read(id, {})).body)).toEqual(bytes)
  expect(foreign.heard).toEqual([])
})

// known failure: token-data-href
it('an origin that is trusted gets what its data-href says, and never the token', async () => {
  const { proxy, foreign, url } = await place()
  const { id } = await connect(url).artifacts.create(contentSource(bytes), draft, once)
  proxy.plan = () => ({
    kind: 'edit',
    edit: (json) => json.replace(/"data-href":"[^"]*"/, `"data-href":"${foreign.url}/b?sig=1"`),
  })
  const { body } = await connect(proxy.url, [foreign.url]).artifacts.read(id, {})
  expect(await collect(body)).toEqual(bytes)
  expect(foreign.heard).toHaveLength(1)
  expect(foreign.heard[0]).toContain('GET /b?sig=1')
  expect(foreign.heard[0]?.toLowerCase()).not.toMatch(/authorization|canary/)
})
