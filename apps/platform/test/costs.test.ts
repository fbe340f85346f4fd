import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { backendOf } from '../src/index.js'
import { folder, started } from './support/server.js'

const QUERY = '?entity=urn:example:reef:7&schema=urn:example:schema:depth.1'

const post = (url: string, body: string) =>
  fetch(`${url}/1/aspects${QUERY}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body,
  })

const membersOf = (count: number) =>
  `{${Array.from({ length: count }, (_, i) => `"${i.toString(36)}":0`).join()}}`

it.each<[what: string, body: string, status: number, message: string]>([
  ['many members', membersOf(100_001), 413, 'more than 100000 members of objects'],
  ['many members, in small objects', `{"a":[${Array(100_001).fill('{"b":1}').join()}]}`, 413, 'members'],
  ['many items', `{"a":[${'1,'.repeat(1_000_000)}1]}`, 413, 'more than 1000000 items of arrays'],
  ['many empty arrays', `{"a":[${'[],'.repeat(1_000_000)}1]}`, 413, 'items of arrays'],
  ['deep nesting', `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, 400, 'more than 200 levels deep'],
  ['an integer that no double holds', '{"a":[1,{"b":9007199254740993}]}', 400, 'at body.a[1].b,'],
  ['a negative one', '{"x":{"y":1},"z":-12345678901234567891}', 400, 'at body.z,'],
  [
    'one that a double holds, but is answered with other digits',
    '{"a":1152921504606846976}',
    400,
    'at body.a,',
  ],
  ['one with a point', '{"a":9007199254740993.0}', 400, 'at body.a,'],
  ['a number beyond all doubles', '{"a":1e99999999999999}', 400, 'at body.a,'],
  ['an integer of very many digits', `{"a":${'9'.repeat(500_000)}}`, 400, '9999…'],
  ['no object', '[1]', 400, 'must be a JSON object'],
  ['no JSON', '{"a":', 400, 'not valid JSON'],
])('a body with %s is refused', async (_, body, status, message) => {
  const { url } = await started({ backend: backendOf('memory', '') })
  const response = await post(url, body)
  expect(response.status).toBe(status)
  expect(await response.text()).toContain(message)
})

it('a body with anything else is kept as it is', async () => {
  const { url } = await started({ backend: backendOf('memory', '') })
  const members = [
    '"exact":9007199254740994',
    '"large":100000000000000000000',
    // the nearest double is 4 less: what JSON.stringify writes is what is kept, not the exact value of the double
    '"shortest":-141446859502413220',
    '"fraction":0.12345678901234567',
    '"text":"9007199254740993 \\\\\\" [{ 9007199254740993"',
    '"__proto__":{"polluted":true}',
    `"powers":${JSON.stringify(Array.from({ length: 60 }, (_, n) => (-3) ** n))}`,
    `"many":[${'[0],'.repeat(1000)}0]`,
  ]
  const body = `{${members.join()}}`
  const { id } = JSON.parse(await (await post(url, body)).text())
  const record = JSON.parse(await (await fetch(`${url}/1/aspects/${id}`)).text())
  const { $schema: _, $entity: __, ...content } = record.content
  expect(JSON.stringify(content)).toBe(JSON.stringify(JSON.parse(body)))
  expect(Object.hasOwn(content, '__proto__')).toBe(true)
})

it('other clients are answered while a query computes, which ends', { timeout: 120_000 }, async () => {
  const { url } = await started({ backend: backendOf('memory', '') })
  await post(url, `{"a":[${'1,'.repeat(30_000)}1],"b":[${'2,'.repeat(30_000)}2]}`)
  const path = new URLSearchParams({ 'content-path': '$.a[*] ? (@ == $.b[*])' })
  let computing = true
  const query = fetch(`${url}/1/aspects?${path}`).finally(() => {
    computing = false
  })
  let answered = 0
  for (; computing; answered++) await (await fetch(`${url}/1/aspects?limit=1`)).text()
  const response = await query
  expect(response.status).toBe(422)
  expect(await response.text()).toContain('make it more specific')
  // in slices of 10 ms out of 5 s; each request needs a few turns of the event loop
  expect(answered).toBeGreaterThan(20)
})

it('nested content takes about as much room as it was sent', async () => {
  const dir = await folder()
  const { url } = await started({ dir })
  const body = `{"a":${'['.repeat(190)}${Array(100_000).fill(0).join()}${']'.repeat(190)}}`
  expect((await post(url, body)).status).toBe(200)
  let stored = 0
  for (const name of await readdir(dir, { recursive: true })) {
    const found = await stat(join(dir, name))
    if (found.isFile()) stored += found.size
  }
  expect(stored).toBeLessThan(1.5 * body.length)
})

it('listings beyond those that run and wait are told to come back later', { timeout: 60_000 }, async () => {
  const backend = backendOf('memory', '')
  let running = 0
  let most = 0
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  const { aspects } = backend
  const list: typeof aspects.list = async (q, o) => {
    running += 1
    most = Math.max(most, running)
    await opened
    running -= 1
    return await aspects.list(q, o)
  }
  const { url } = await started({ backend: { ...backend, aspects: { ...aspects, list } } })
  const refused: Response[] = []
  const all = Array.from({ length: 300 }, async () => {
    const response = await fetch(`${url}/1/aspects`)
    if (response.status === 503 && refused.push(response) === 300 - 16 - 256) open()
    return response
  })
  const statuses = (await Promise.all(all)).map(({ status }) => status)
  expect(statuses.filter((status) => status === 200)).toHaveLength(16 + 256)
  expect(statuses.filter((status) => status === 503)).toHaveLength(300 - 16 - 256)
  expect(refused[0]?.headers.get('Retry-After')).toBe('2')
  expect(await refused[0]?.text()).toContain('retry after')
  expect(most).toBe(16)
})
