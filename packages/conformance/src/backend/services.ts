import type { Ivcap } from '@ivcap/core'
import { expect, it } from 'vitest'
import { expectError, rejectionOf } from '../support/expect-error.js'
import { clientOf, withServices } from '../support/services.js'
import type { BackendPlace } from './place.js'

const NOBODY = '00000000-0000-4000-8000-000000000000'
const poll = { pollInterval: 5 }

/** Services and their jobs, through the API of the client. */
export function services(place: BackendPlace): void {
  const complete = withServices()
  const client = () => clientOf(complete(place.at))
  const upload = (ivcap: Ivcap, content = 'coral') =>
    ivcap.uploadArtifact({ name: 'words.txt', content, contentType: 'text/plain' })
  const run = async (name: string, params: object) => {
    const service = await client().getServiceByName(name)
    return (await service.requestJob(params)).wait(poll)
  }

  it('upload, run a service by its name, download', async () => {
    const ivcap = client()
    const input = await upload(ivcap, 'coral ü🐠')
    const service = await ivcap.getServiceByName('shout')
    const job = await service.requestJob({ text: input.id, times: 2 })
    expect(job.id).toMatch(/^urn:ivcap:job:[0-9a-f-]{36}$/)
    expect(job.service).toBe(service.id)
    expect(await job.wait(poll)).toBe(job)
    expect(job.toJSON()).toMatchObject({ status: 'succeeded', request: { text: input.id, times: 2 } })
    const result = { ...Object(job.result) }
    expect(result['letters']).toBe('coral ü🐠'.length)
    const output = await ivcap.getArtifact(String(result['output']))
    expect(await output.text()).toBe('CORAL Ü🐠!CORAL Ü🐠!')
    expect((await output.provenance()).producedBy).toEqual([job.id])
    expect(await input.provenance()).toMatchObject({ usedBy: [job.id], producedBy: [] })
    const { requestedAt, startedAt, finishedAt } = job
    expect([requestedAt, startedAt, finishedAt].every((time) => time instanceof Date)).toBe(true)
    expect(Number(requestedAt) <= Number(startedAt) && Number(startedAt) <= Number(finishedAt)).toBe(true)
  })

  it('services are listed by name, over pages, and tell what they take', async () => {
    const all = await client().listServices({ limit: Number.POSITIVE_INFINITY }).toArray()
    const names = all.map(({ name }) => name ?? '')
    expect(names).toEqual([...names].sort())
    expect(names).toEqual(expect.arrayContaining(['shout', 'echo', 'fail']))
    const backwards = await client().listServices({ orderDesc: true, limit: 2 }).toArray()
    expect(backwards.map(({ name }) => name)).toEqual([...names].reverse().slice(0, 2))
    const [shout] = await client().listServices({ filter: "name ~= 'sho%'" }).toArray()
    expect(shout?.description).toBe('Grüße, in capitals 🐠')
    await shout?.load()
    expect(shout?.parameters).toContainEqual({ name: 'text', type: 'artifact', description: 'what is read' })
    expect(shout?.parameters?.find(({ name }) => name === 'share')).toMatchObject({
      type: 'float',
      optional: true,
      unit: 'm',
      label: 'Share',
    })
    expect(shout?.parameters?.find(({ name }) => name === 'mark')).toMatchObject({
      default: '!',
      options: [{ value: '!' }, { value: '?', description: 'asks' }],
    })
    expect((await client().getService(shout?.id ?? '')).record).toEqual(shout?.record)
  })

  it('a name that nobody or several have is no service', async () => {
    await expectError(client().getServiceByName('shou'), 'not-found', 'name')
    await expectError(client().getServiceByName('_hout'), 'not-found', 'name')
    await expectError(client().getServiceByName("shout' or 'x"), 'not-found', 'name')
    const error = await expectError(client().getServiceByName('twin'), 'ambiguous', 'name')
    expect(error.message).toContain('urn:ivcap:service:')
    await expectError(client().getServiceByName('%i%'), 'ambiguous', 'name')
    expect((await client().getServiceByName('sh%t')).name).toBe('shout')
    await expectError(client().getServiceByName(' '), 'invalid-argument', 'name')
    await expectError(client().getService(NOBODY), 'not-found')
    await expectError(client().getService('shout'), 'invalid-argument', 'id')
  })

  it('a job that runs says so; who waits too long hears it, and can wait again', async () => {
    const ivcap = client()
    const entity = 'urn:example:signal:1'
    const service = await ivcap.getServiceByName('wait')
    const job = await service.requestJob({ entity })
    expect([job.finished, job.succeeded]).toEqual([false, false])
    const error = await expectError(job.wait({ ...poll, timeout: 20 }), 'timeout')
    expect(error.message).toContain(job.id)
    expect(() => job.result).toThrow(/executing: await job.wait/)
    const reason = new Error('enough')
    expect(await rejectionOf(job.wait({ ...poll, signal: AbortSignal.timeout(20) }))).toMatchObject({
      name: 'TimeoutError',
    })
    expect(await rejectionOf(job.wait({ signal: AbortSignal.abort(reason) }))).toBe(reason)
    expect((await service.getJob(job.id)).status).toBe('executing')
    await ivcap.addAspect(entity, { $schema: 'urn:example:schema:go.1', go: true })
    await job.wait(poll)
    expect(job.result).toMatchObject({ go: true })
  })

  it('a quick job can be waited for in the request', async () => {
    const service = await client().getServiceByName('echo')
    const job = await service.requestJob({ depth: 34.5 }, { timeout: 10_000 })
    expect([job.status, job.result]).toEqual(['succeeded', { depth: 34.5 }])
    const waiting = await (await client().getServiceByName('wait')).requestJob(
      { entity: 'urn:example:nothing' },
      { timeout: 10 },
    )
    expect(waiting.finished).toBe(false)
  })

  it('any JSON goes there and back', async () => {
    const odd = { text: 'ü🐠"\\ \u2028', list: [1, null, { deep: [true] }], n: -0.1e-7, empty: {} }
    expect((await run('echo', odd)).result).toEqual(odd)
    expect((await run('silent', {})).result).toBeUndefined()
  })

  it('what goes wrong is told', async () => {
    const failed = await run('fail', {})
    expect(failed.toJSON()).toMatchObject({ status: 'failed', errorMessage: 'the tide is out' })
    expect([failed.finished, failed.succeeded]).toEqual([true, false])
    expect(() => failed.result).toThrow('the tide is out')
    expect((await run('no-json', {})).errorMessage).toMatch(/NaN at result\.depths\[1\]/)
    expect((await run('too-long', {})).errorMessage).toMatch(/exceeded the timeout .* 50 ms/)
  })

  it('artifacts that are not there fail the job; files of the machine are none', async () => {
    const id = `urn:ivcap:artifact:${NOBODY}`
    expect((await run('shout', { text: id })).errorMessage).toMatch(/^params\.text: .*artifact/)
    for (const path of ['urn:file:///etc/passwd', 'file:///etc/passwd']) {
      expect((await run('shout', { text: path })).status).toBe('failed')
      expect((await run('read', { id: path })).status).toBe('failed')
    }
  })

  it('wrong parameters are refused, and make no job', async () => {
    const service = await client().getServiceByName('shout')
    const text = `urn:ivcap:artifact:${NOBODY}`
    const wrong: readonly (readonly [object, string])[] = [
      [{}, 'text'],
      [{ text: 'coral' }, 'text'],
      [{ text, times: 1.5 }, 'times'],
      [{ text, share: '1' }, 'share'],
      [{ text, mark: '.' }, 'mark'],
      [{ text, loud: 'yes' }, 'loud'],
      [{ text, reef: 'reef' }, 'reef'],
      [{ text, name: 7 }, 'name'],
      [{ text, colour: 'red' }, 'colour'],
    ]
    for (const [params, name] of wrong) {
      await expectError(service.requestJob(params), 'invalid-argument', `params.${name}`)
    }
    await expectError(service.requestJob([]), 'invalid-argument', 'params')
    await expectError(service.requestJob({ text, at: Number.NaN }), 'invalid-argument', 'params')
    expect(await service.jobs().toArray()).toEqual([])
  })
}
