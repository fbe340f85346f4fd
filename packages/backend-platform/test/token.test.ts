import { inspect } from 'node:util'
import { type Fault, faultProxy } from '@ivcap/conformance/fault-proxy'
import { contentSource, isIvcapError } from '@ivcap/core/driver'
import { expect, it } from 'vitest'
import { platformBackend } from '../src/index.js'
import { draft, someBytes, transfer } from './support/content.js'
import { deployment, TOKEN } from './support/deployment.js'

const id = 'urn:ivcap:artifact:00000000-0000-4000-8000-000000000000'

/** An answer that repeats the request's headers, as debugging proxies do. */
const echo = `{"message":"bad header authorization: Bearer ${TOKEN}"}`
const answers: Readonly<Record<string, Fault>> = {
  'an echo in an error': { kind: 'status', status: 400, body: echo },
  'an echo in a page': { kind: 'status', status: 500, body: `<html>${TOKEN}</html>` },
  'an echo in an answer of another form': { kind: 'status', status: 200, body: echo },
  'an echo in broken JSON': { kind: 'status', status: 200, body: `{"id":"${TOKEN}` },
  'an echo of another status': { kind: 'status', status: 418, body: TOKEN },
  'a refusal': { kind: 'status', status: 401 },
  'a reset': { kind: 'lose-answer' },
  silence: { kind: 'stall' },
  'a redirect': { kind: 'status', status: 302, headers: { Location: `http://localhost:1/?t=${TOKEN}` } },
}

// known failure: token-told
it.each(Object.entries(answers))('the token is in nothing that comes of %s', async (_, fault) => {
  const { url } = await deployment()
  const proxy = await faultProxy(url, () => fault)
  const lines: string[] = []
  const note = (line: string) => lines.push(line)
  const backend = platformBackend({
    url: proxy.url,
    token: TOKEN,
    digest: true,
    stateDir: false,
    connectTimeout: 50,
    idleTimeout: 50,
    retryDelay: 1,
    logger: { debug: note, warn: note },
    onEvent: (event) => void lines.push(everythingIn(event)),
  })
  const schema = 'urn:example:schema:x.1'
  const entity = 'urn:example:x'
  const signal = AbortSignal.timeout(10_000)
  const failures = await Promise.all(
    [
      () => backend.artifacts.create(contentSource(someBytes(10)), draft, { ...transfer, retries: 1 }),
      () => backend.artifacts.stat(id, { signal }),
      () => backend.artifacts.read(id, { signal }),
      () => backend.artifacts.list({ limit: 5, orderDesc: true }, { signal }),
      () => backend.aspects.assert({ entity, schema, content: { $schema: schema } }, 'add', { signal }),
      () => backend.aspects.retract('urn:ivcap:aspect:00000000-0000-4000-8000-000000000000', { signal }),
      async () => backend.search?.('x', { limit: 1, signal }),
    ].map((run) =>
      run().then(
        () => undefined,
        (error: unknown) => error,
      ),
    ),
  )
  const errors = failures.filter((error) => error !== undefined)
  // a retraction is answered without a body: any 2xx will do; a list may leave out what is not valid
  expect(errors.length).toBeGreaterThanOrEqual(4)
  for (const error of errors) {
    expect(isIvcapError(error), inspect(error)).toBe(true)
    expect(everythingIn(error)).not.toContain(TOKEN)
    expect(String(error).length).toBeLessThan(1500)
  }
  expect(lines.join()).not.toContain(TOKEN)
  expect(everythingIn(backend)).not.toContain(TOKEN)
  expect(proxy.seen.every(({ path }) => !path.includes(TOKEN))).toBe(true)
})

it.each(['', ' ', 'with blank', 'line\nbreak', 'ünicode'])(
  'the token %j is refused without being repeated',
  (token) => {
    const open = () => platformBackend({ url: 'http://localhost:1', token })
    expect(open).toThrow(expect.objectContaining({ code: 'invalid-argument', argument: 'token' }))
    if (token.trim() !== '')
      expect(open).toThrow(expect.not.objectContaining({ message: expect.stringContaining(token) }))
  },
)

it('a token function is asked for each request, and once more after a 401', async () => {
  const { url } = await deployment()
  const given: string[] = []
  const tokens = [TOKEN, 'expired', TOKEN, 'expired', 'expired', TOKEN]
  const token = () => {
    given.push(tokens[given.length] ?? 'none')
    return given.at(-1) ?? ''
  }
  const { artifacts } = platformBackend({ url, token, stateDir: false })
  const list = () => artifacts.list({ limit: 1, orderDesc: true }, {})
  await list()
  expect(given).toHaveLength(1)
  await list()
  expect(given).toHaveLength(3)
  await expect(list()).rejects.toMatchObject({ code: 'unauthenticated', status: 401 })
  expect(given).toHaveLength(5)
})

it('inside the cluster there is none', async () => {
  const { url } = await deployment()
  const proxy = await faultProxy(url)
  const { artifacts } = platformBackend({ url: proxy.url, stateDir: false })
  await expect(artifacts.list({ limit: 1, orderDesc: true }, {})).rejects.toMatchObject({ status: 401 })
  expect(proxy.seen.map((s) => s.headers.authorization)).toEqual([undefined])
})

it('a token function that fails is the reason', async () => {
  const cause = new Error('the login service is down')
  const { artifacts } = platformBackend({
    url: 'http://localhost:1',
    token: async () => {
      throw cause
    },
  })
  await expect(artifacts.stat(id, {})).rejects.toMatchObject({ code: 'unauthenticated', cause })
})

/** As a log would show it: inspected through all causes, hidden fields too, and as JSON. */
function everythingIn(value: unknown): string {
  return (
    inspect(value, { depth: 20, showHidden: true, getters: true, maxStringLength: null }) +
    JSON.stringify(value)
  )
}
