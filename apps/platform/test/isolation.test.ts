import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { JobWorkers, type Platform } from '../src/index.js'
import { json } from './support/client.js'
import { folder, started } from './support/server.js'

/** Services that go wrong in ways that end a process. */
const SOURCE = `
const service = (name, run, timeout) => ({ name, timeout, run })
export default [
  service('echo', (params) => params),
  service('copy', async ({ id }, job) => {
    const text = await (await job.getArtifact(id)).text()
    const made = await job.uploadArtifact({ name: 'copy', content: text.toUpperCase() })
    return { id: made.id }
  }),
  service('deep', async ({ left }, { ivcap }) => {
    if (left === 0) return { depth: 0 }
    const job = await (await ivcap.getServiceByName('deep')).requestJob({ left: left - 1 })
    await job.wait()
    return { depth: job.result.depth + 1 }
  }),
  service('loop', () => { for (;;); }, 1500),
  service('exit', () => process.exit(0)),
  service('stray', () => { Promise.reject(new Error('forgotten')); return new Promise(() => {}) }),
  service('timer', () => { setTimeout(() => { throw new Error('in a timer') }, 1); return new Promise(() => {}) }),
  service('message', () => { throw Object.defineProperty(new Error(), 'message', { get() { throw new Error('ha') } }) }),
  service('memory', () => { const all = []; for (;;) all.push(new Array(1e5).fill(all.length)) }),
]`

async function prepared(): Promise<{
  readonly platform: Platform
  run(name: string, params?: object): Promise<Record<string, unknown>>
}> {
  const module = join(await folder(), 'services.mjs')
  await writeFile(module, SOURCE)
  const services = await JobWorkers.load({ module, memoryMb: 64 })
  const platform = await started({ services, auth: { token: 'of-the-server' }, shutdownTimeout: 2000 })
  const headers = { Authorization: 'Bearer of-the-server' }
  const run = async (name: string, params: object = {}) => {
    const found = await json(
      await fetch(`${platform.url}/1/services2?filter=${encodeURIComponent(`name~='${name}'`)}`, {
        headers,
      }),
    )
    const [item] = Object(found['items'])
    const answer = await fetch(`${item.href}/jobs`, {
      method: 'POST',
      headers: { ...headers, 'Content-Type': 'application/json', Timeout: '60' },
      body: JSON.stringify(params),
    })
    await answer.arrayBuffer()
    return json(await fetch(answer.headers.get('ivcap-job-url') ?? '', { headers }))
  }
  return { platform, run }
}

it.each([
  ['loop', /exceeded the timeout of the service .*: 1500 ms/],
  ['exit', /ended its process before it answered/],
  ['stray', /forgotten/],
  ['timer', /in a timer/],
  ['message', /cannot be printed/],
  ['memory', /more memory than its 64 MiB/],
])('%s fails its own job alone', { timeout: 60_000 }, async (name, message) => {
  const server = await prepared()
  const [bad, good] = await Promise.all([server.run(name), server.run('echo', { n: 1 })])
  expect(bad).toMatchObject({ status: 'failed', 'error-message': expect.stringMatching(message) })
  expect(good).toMatchObject({ status: 'succeeded', 'result-content': { n: 1 } })
  expect(await server.run('echo', { n: 2 })).toMatchObject({ 'result-content': { n: 2 } })
})

it('jobs that wait for jobs, more deeply than jobs run at once, all end', { timeout: 120_000 }, async () => {
  const { run } = await prepared()
  expect(await run('deep', { left: 9 })).toMatchObject({ 'result-content': { depth: 9 } })
})

it('a job reaches artifacts by a token of its own, which leaves provenance', {
  timeout: 60_000,
}, async () => {
  const { platform, run } = await prepared()
  const headers = { Authorization: 'Bearer of-the-server' }
  const begun = await fetch(`${platform.url}/1/artifacts`, {
    method: 'POST',
    headers: { ...headers, 'X-Content-Type': 'text/plain', 'X-Content-Length': '5' },
  })
  const record = await json(begun)
  await fetch(String(record['data-href']), {
    method: 'PATCH',
    body: 'hello',
    headers: {
      ...headers,
      'Tus-Resumable': '1.0.0',
      'Upload-Offset': '0',
      'Content-Type': 'application/offset+octet-stream',
    },
  })
  const job = await run('copy', { id: record['id'] })
  expect(job).toMatchObject({ status: 'succeeded' })
  const { id } = Object(job['result-content'])
  expect(await (await fetch(`${platform.url}/1/artifacts/${id}/blob`, { headers })).text()).toBe('HELLO')
  const aspects = await fetch(`${platform.url}/1/aspects?entity=${id}&include-content=true`, { headers })
  expect(await aspects.text()).toContain(String(job['id']))
})
