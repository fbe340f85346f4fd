// Requests for jobs whose answers come in other forms, late, broken, or not at all.

import { type Fault, faultProxy } from '@ivcap/conformance/fault-proxy'
import { Ivcap } from '@ivcap/core'
import { expect, it } from 'vitest'
import { platformBackend } from '../src/index.js'
import { deployment, TOKEN } from './support/deployment.js'
import { foreignServer } from './support/foreign.js'

const poll = { pollInterval: 5 }
const JSON_TYPE = { 'Content-Type': 'application/json' }

/** The service `echo` of a deployment behind a proxy, and a job of it that is done already. */
async function place() {
  const { url } = await deployment()
  const proxy = await faultProxy(url)
  const backend = platformBackend({ url: proxy.url, token: TOKEN, stateDir: false, retryDelay: 1 })
  const echo = await new Ivcap(backend, { stateDir: false }).getServiceByName('echo')
  const done = await (await echo.requestJob({ depth: 34 })).wait(poll)
  proxy.seen.length = 0
  const posts = () => proxy.seen.filter(({ method }) => method === 'POST').length
  /** What a request for a job is answered with. */
  const answer = (status: number, headers: Record<string, string>, body = '') => {
    proxy.plan = ({ method }): Fault | undefined =>
      method === 'POST' ? { kind: 'status', status, headers, body } : undefined
  }
  const jobPath = `/1/services2/${echo.id}/jobs/${done.id}`
  return { proxy, echo, done, posts, answer, jobPath }
}

it('a result may come at once, with the job by its URN, its uuid or its address', async () => {
  const { echo, done, answer, jobPath } = await place()
  const uuid = done.id.slice('urn:ivcap:job:'.length)
  const forms = [
    { 'IVCAP-Job-Id': done.id },
    { 'IVCAP-Job-Id': uuid },
    { 'IVCAP-Job-URL': `https://out.example/x${jobPath}` },
  ]
  for (const form of forms) {
    answer(200, { ...JSON_TYPE, ...form }, '{"at":"once"}')
    const job = await echo.requestJob({ depth: 34 })
    expect([job.id, job.status, job.result]).toEqual([done.id, 'succeeded', { at: 'once' }])
  }
})

it('a result that is not JSON is said to be none; one that arrives broken is asked for again', async () => {
  const { echo, done, answer } = await place()
  answer(200, { 'Content-Type': 'image/png', 'IVCAP-Job-Id': done.id }, 'PNG')
  const image = await echo.requestJob({})
  expect(image.succeeded).toBe(true)
  expect(() => image.result).toThrow(/image\/png, not JSON/)
  for (const broken of ['{"depth":', '']) {
    answer(200, { ...JSON_TYPE, 'IVCAP-Job-Id': done.id }, broken)
    expect((await echo.requestJob({})).result).toEqual({ depth: 34 })
  }
})

it('a job that takes longer is named in the body, by its address there, or in the header', async () => {
  const { echo, done, answer, jobPath } = await place()
  const forms: [object, Record<string, string>][] = [
    [{ 'job-id': done.id, location: jobPath, 'retry-later': 0 }, {}],
    [{ location: `https://out.example/prefix${jobPath}?x=1`, 'retry-later': 0 }, {}],
    [{ 'retry-later': 'soon' }, { Location: jobPath }],
  ]
  for (const [body, headers] of forms) {
    answer(202, { ...JSON_TYPE, ...headers }, JSON.stringify(body))
    const job = await echo.requestJob({})
    expect([job.id, job.finished]).toEqual([done.id, false])
    expect((await job.wait(poll)).result).toEqual({ depth: 34 })
  }
})

it('a redirect to the job is the answer: the request is not sent there, nor the token', async () => {
  const { echo, done, answer, jobPath, posts } = await place()
  const foreign = await foreignServer()
  for (const location of [jobPath, `${foreign.url}${jobPath}`]) {
    answer(307, { Location: location })
    const job = await echo.requestJob({})
    expect((await job.wait(poll)).result).toEqual({ depth: 34 })
    expect(job.id).toBe(done.id)
  }
  expect(posts()).toBe(2)
  expect(foreign.heard).toEqual([])
  answer(307, { Location: `${foreign.url}/elsewhere` })
  await expect(echo.requestJob({})).rejects.toMatchObject({ code: 'protocol', retryable: false })
  expect(foreign.heard).toEqual([])
})

it('a request whose answer is lost is not repeated', async () => {
  const { proxy, echo, posts, answer } = await place()
  proxy.plan = ({ method }) => (method === 'POST' ? { kind: 'lose-answer' } : undefined)
  const lost = echo.requestJob({ n: 1 })
  await expect(lost).rejects.toMatchObject({ code: 'unavailable', retryable: false, resource: echo.id })
  await expect(lost).rejects.toThrow(/look at service\.jobs\(\)/)
  expect(posts()).toBe(1)
  expect(await echo.jobs().toArray()).toHaveLength(2)
  answer(202, JSON_TYPE, '{"retry-later":1}')
  await expect(echo.requestJob({})).rejects.toThrow(/without job-id and location/)
  answer(504, {})
  await expect(echo.requestJob({})).rejects.toMatchObject({ code: 'unavailable', retryable: false })
  expect(posts()).toBe(3)
})

it('a request that the deployment did not take is repeated', async () => {
  const { proxy, echo, posts } = await place()
  let refusals = 2
  proxy.plan = ({ method }) =>
    method === 'POST' && refusals-- > 0 ? { kind: 'status', status: 503, body: 'busy' } : undefined
  expect((await (await echo.requestJob({ n: 1 })).wait(poll)).result).toEqual({ n: 1 })
  expect(posts()).toBe(3)
})

it('the deployment is told how long to wait, in whole seconds', async () => {
  const { proxy, echo } = await place()
  for (const timeout of [0, 1, 1001, 60_000]) await echo.requestJob({}, { timeout })
  const told = proxy.seen.filter(({ method }) => method === 'POST').map(({ headers }) => headers['timeout'])
  expect(told).toEqual(['0', '1', '2', '60'])
})

it('a result that the record leaves out is asked for by itself', async () => {
  const { proxy, echo, done } = await place()
  const leave = (...names: string[]): Fault => ({
    kind: 'edit',
    edit: (body) =>
      JSON.stringify(
        Object.fromEntries(Object.entries(JSON.parse(body)).filter(([k]) => !names.includes(k))),
      ),
  })
  const output = (fault?: Fault) => {
    proxy.plan = ({ path }) => (path.endsWith('/output') ? fault : leave('result-content'))
  }
  output()
  expect((await echo.getJob(done.id)).result).toEqual({ depth: 34 })
  output({ kind: 'status', status: 204 })
  expect((await echo.getJob(done.id)).result).toBeUndefined()
  output({ kind: 'status', status: 200, headers: { 'Content-Type': 'text/csv' }, body: 'a,b' })
  expect((await echo.getJob(done.id)).record).toMatchObject({ resultType: 'text/csv' })
  output({ kind: 'status', status: 200, headers: JSON_TYPE, body: '{"half' })
  await expect(echo.getJob(done.id)).rejects.toMatchObject({ code: 'protocol' })
  output({ kind: 'status', status: 400, body: '{"message":"no such output"}' })
  await expect(echo.getJob(done.id)).rejects.toThrow('no such output')
  proxy.plan = ({ path }) =>
    path.endsWith('/output') ? undefined : leave('result-content', 'service', 'requested-at')
  expect((await echo.getJob(done.id)).record).toMatchObject({ service: echo.id, result: { depth: 34 } })
})

it('what is no service and no job is refused; unknown words are not', async () => {
  const { proxy, echo, done } = await place()
  const edit = (change: (json: Record<string, unknown>) => object) => {
    proxy.plan = () => ({ kind: 'edit', edit: (body) => JSON.stringify(change(JSON.parse(body))) })
  }
  edit(({ id: _, ...rest }) => rest)
  await expect(echo.refresh()).rejects.toMatchObject({ code: 'protocol' })
  await expect(echo.getJob(done.id)).rejects.toMatchObject({ code: 'protocol' })
  edit((json) => ({ ...json, parameters: 'none' }))
  await expect(echo.refresh()).rejects.toMatchObject({ code: 'protocol' })
  edit((json) => ({
    ...json,
    status: 'resting',
    parameters: [{ name: 'x', type: 'blob', default: 7, options: null }],
  }))
  expect((await echo.refresh()).parameters).toEqual([{ name: 'x', type: 'blob', default: '7' }])
  expect((await echo.getJob(done.id)).status).toBe('unknown')
})
