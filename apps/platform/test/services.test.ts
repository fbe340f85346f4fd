import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { testServices } from '@ivcap/conformance'
import { expect, it, onTestFinished, vi } from 'vitest'
import { parseCommand } from '../src/cli.js'
import { startPlatformProcess } from '../src/process.js'
import { json } from './support/client.js'
import { folder, started } from './support/server.js'

const NOBODY = 'urn:ivcap:job:00000000-0000-4000-8000-000000000000'

async function itemsOf(url: string): Promise<readonly Record<string, unknown>[]> {
  const { items } = await json(await fetch(url))
  return Array.isArray(items) ? items.map((item) => ({ ...Object(item) })) : []
}

/** The address of the service of this name. */
async function hrefOf(url: string, name: string): Promise<string> {
  const [found] = await itemsOf(`${url}/1/services2?filter=${encodeURIComponent(`name~='${name}'`)}`)
  return String(found?.['href'])
}

const request = (service: string, params: string, headers: Record<string, string> = {}) =>
  fetch(`${service}/jobs`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: params,
  })

it('a job is answered with its result, or with where it will be', async () => {
  const { url } = await started({ services: testServices, shutdownTimeout: 10 })
  const echo = await hrefOf(url, 'echo')
  const quick = await request(echo, '{"depth":34}', { Timeout: '10' })
  expect([quick.status, await quick.json()]).toEqual([200, { depth: 34 }])
  const href = quick.headers.get('ivcap-job-url') ?? ''
  expect(href).toBe(`${echo}/jobs/${quick.headers.get('ivcap-job-id')}`)
  const record = await json(await fetch(`${href}?with-request-content=true`))
  expect(record).toMatchObject({
    status: 'succeeded',
    'request-content': { depth: 34 },
    'result-content': { depth: 34 },
    'result-content-type': 'application/json',
  })
  expect(await json(await fetch(`${href}?with-result-content=false`))).not.toHaveProperty('result-content')
  expect(await (await fetch(`${href}/output`)).json()).toEqual({ depth: 34 })
  // by bare uuids, too
  const uuids = href.replaceAll(/urn:ivcap:(service|job):/g, '')
  expect((await fetch(uuids)).status).toBe(200)

  const slow = await request(await hrefOf(url, 'wait'), '{"entity":"urn:example:x"}')
  expect(slow.status).toBe(202)
  const later = await json(slow)
  expect(later).toMatchObject({ location: slow.headers.get('location'), 'retry-later': 1 })
  expect(String(later['location'])).toContain(String(later['job-id']))
  expect((await fetch(`${later['location']}/output`)).status).toBe(204)
})

it('a failed job tells why, in the record and instead of the output', async () => {
  const { url } = await started({ services: testServices })
  const fail = await hrefOf(url, 'fail')
  const answer = await request(fail, '{}', { Timeout: '10' })
  expect(answer.status).toBe(202)
  const { location } = await json(answer)
  expect(await json(await fetch(String(location)))).toMatchObject({
    status: 'failed',
    'error-message': 'the tide is out',
  })
  const output = await fetch(`${location}/output`)
  expect([output.status, await output.json()]).toEqual([500, { message: 'the tide is out' }])
})

it.each<[string, string, Record<string, string>, number, object]>([
  ['a missing parameter', '{}', {}, 400, { name: 'params.text' }],
  ['a list', '[]', {}, 400, { name: 'body' }],
  ['broken JSON', '{', {}, 400, { name: 'body' }],
  ['another type', '{}', { 'Content-Type': 'text/plain' }, 415, { name: 'Content-Type' }],
  ['a time that is none', '{}', { Timeout: 'soon' }, 400, { name: 'Timeout' }],
])('%s is refused', async (_, params, headers, status, body) => {
  const { url } = await started({ services: testServices })
  const answer = await request(await hrefOf(url, 'shout'), params, headers)
  expect([answer.status, await answer.json()]).toMatchObject([status, body])
})

it('unknown services and jobs are 404, a listing that cannot be is 501, one that is wrong 422', async () => {
  const { url } = await started({ services: testServices })
  const echo = await hrefOf(url, 'echo')
  for (const path of [
    `${url}/1/services2/x`,
    `${url}/1/services2/${NOBODY}`,
    `${echo}/jobs/x`,
    `${echo}/jobs/${NOBODY}`,
  ]) {
    expect((await fetch(path)).status).toBe(404)
  }
  expect((await request(`${url}/1/services2/${NOBODY}`, '{}')).status).toBe(404)
  expect((await fetch(`${url}/1/services2?at-time=2026-01-01`)).status).toBe(501)
  expect((await fetch(`${url}/1/services2?filter=name`)).status).toBe(422)
  expect((await fetch(`${url}/1/services2?limit=51`)).status).toBe(422)
})

it('without functions there are no services', async () => {
  const { url } = await started()
  expect(await itemsOf(`${url}/1/services2`)).toEqual([])
})

it('a server that is killed and started again knows the jobs: the result of one, the end of the other', async () => {
  const dir = await folder()
  const module = join(dir, 'services.mjs')
  const names = ['echo', 'never'].map(
    (name) => `{ name: '${name}', run: (params) => ${name === 'echo' ? 'params' : 'new Promise(() => {})'} }`,
  )
  await writeFile(module, `export const services = [${names}]`)
  const args = ['--dir', dir, '--services', module]
  const first = await startPlatformProcess(args)
  onTestFinished(() => first.kill())
  const done = await request(await hrefOf(first.url, 'echo'), '{"n":1}', { Timeout: '10' })
  const running = await request(await hrefOf(first.url, 'never'), '{}')
  expect([done.status, running.status]).toEqual([200, 202])
  await first.kill()

  const second = await startPlatformProcess(args)
  onTestFinished(() => second.kill())
  const there = (href: string | null) => (href ?? '').replace(first.url, second.url)
  expect(await json(await fetch(there(done.headers.get('ivcap-job-url'))))).toMatchObject({
    status: 'succeeded',
    'result-content': { n: 1 },
  })
  expect(await json(await fetch(there(running.headers.get('ivcap-job-url'))))).toMatchObject({
    status: 'error',
    'error-message': expect.stringContaining('has ended'),
  })
  expect((await itemsOf(`${await hrefOf(second.url, 'echo')}/jobs`)).map(({ status }) => status)).toEqual([
    'succeeded',
  ])
})

it('stopping ends the jobs', async () => {
  const log = vi.fn()
  const server = await started({ services: testServices, shutdownTimeout: 10, log })
  await request(await hrefOf(server.url, 'wait'), '{"entity":"urn:example:x"}')
  await server.close()
  expect(log).toHaveBeenCalledWith(expect.stringMatching(/^wait: urn:ivcap:job:.* failed: .*ending/))
})

it.each([
  ['is not there', undefined, /can't be loaded/],
  ['exports nothing of the kind', 'export default 7', /must export a list of services/],
  ['exports what has no run', "export default [{ name: 'x' }]", /must export a list of services/],
  ['is broken', 'export default [', /can't be loaded/],
])('a module of services that %s is refused', async (_, source, message) => {
  const module = join(await folder(), 'services.mjs')
  if (source !== undefined) await writeFile(module, source)
  await expect(parseCommand(['--services', module], {})).rejects.toThrow(message)
})
