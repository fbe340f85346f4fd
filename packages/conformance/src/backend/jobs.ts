import { expect, it, vi } from 'vitest'
import { expectError, rejectionOf } from '../support/expect-error.js'
import { clientOf, withServices } from '../support/services.js'
import type { BackendPlace } from './place.js'

const NOBODY = '00000000-0000-4000-8000-000000000000'
const poll = { pollInterval: 5 }

/** Jobs that are read later: by other processes, in lists, many at once. */
export function jobs(place: BackendPlace): void {
  const complete = withServices()
  const client = () => clientOf(complete(place.at))
  const serviceOf = (name: string) => client().getServiceByName(name)

  it('another process sees how they stand and what came of them', async () => {
    const entity = 'urn:example:signal:2'
    const job = await (await serviceOf('wait')).requestJob({ entity })
    const other = clientOf(complete(await place.reopen()))
    const seen = await (await other.getServiceByName('wait')).getJob(job.id)
    expect(seen.status).toBe('executing')
    await other.addAspect(entity, { $schema: 'urn:example:schema:go.1', go: true })
    await seen.wait(poll)
    await job.wait(poll)
    expect(seen.toJSON()).toEqual(job.toJSON())
    expect(seen.result).toMatchObject({ go: true })
  })

  it('are listed newest first, over pages, those of their service alone', async () => {
    const echo = await serviceOf('echo')
    await (await serviceOf('silent')).requestJob({}, { timeout: 10_000 })
    const ids: string[] = []
    for (let n = 0; n < 12; n += 1) ids.push((await echo.requestJob({ n }, { timeout: 10_000 })).id)
    const newest = [...ids].reverse()
    const listed = await echo.jobs({ limit: Number.POSITIVE_INFINITY }).toArray()
    expect(listed.map(({ id }) => id)).toEqual(newest)
    expect(listed.every(({ succeeded, service }) => succeeded && service === echo.id)).toBe(true)
    expect((await echo.jobs().toArray()).map(({ id }) => id)).toEqual(newest.slice(0, 10))
    expect((await echo.jobs({ orderDesc: false, limit: 2 }).toArray()).map(({ id }) => id)).toEqual(
      ids.slice(0, 2),
    )
    const [last] = listed
    await last?.wait(poll)
    expect(last?.result).toEqual({ n: 11 })
  })

  it('many run at the same time', async () => {
    const echo = await serviceOf('echo')
    const numbers = Array.from({ length: 24 }, (_, n) => n)
    const all = await Promise.all(numbers.map((n) => echo.requestJob({ n })))
    await Promise.all(all.map((job) => job.wait(poll)))
    expect(all.map(({ result }) => result)).toEqual(numbers.map((n) => ({ n })))
  })

  it('one that is not there is not found, nor is one of another service', async () => {
    const echo = await serviceOf('echo')
    await expectError(echo.getJob(NOBODY), 'not-found')
    await expectError(echo.getJob('job'), 'invalid-argument', 'id')
    const { id } = await (await serviceOf('silent')).requestJob({}, { timeout: 10_000 })
    await expectError(echo.getJob(id), 'not-found')
  })

  it('an aborted call has its own reason, and makes no job', async () => {
    const reason = new Error('enough')
    const signal = AbortSignal.abort(reason)
    const echo = await serviceOf('echo')
    const done = await (await serviceOf('silent')).requestJob({}, { timeout: 10_000 })
    for (const call of [
      client().getService(echo.id, { signal }),
      client().getServiceByName('echo', { signal }),
      client().listServices({ signal }).toArray(),
      echo.refresh({ signal }),
      echo.requestJob({}, { signal }),
      echo.jobs({ signal }).toArray(),
      echo.getJob(done.id, { signal }),
      done.refresh({ signal }),
      done.wait({ signal }),
    ]) {
      expect(await rejectionOf(call)).toBe(reason)
    }
    expect(await echo.jobs().toArray()).toEqual([])
  })

  it('one whose request was given up goes on', async () => {
    const wait = await serviceOf('wait')
    const entity = 'urn:example:signal:3'
    const reason = new Error('enough')
    const controller = new AbortController()
    const gone = rejectionOf(wait.requestJob({ entity }, { timeout: 60_000, signal: controller.signal }))
    const job = await vi.waitUntil(async () => (await wait.jobs().toArray())[0], { timeout: 10_000 })
    controller.abort(reason)
    expect(await gone).toBe(reason)
    expect((await job.refresh()).status).toBe('executing')
    await client().addAspect(entity, { $schema: 'urn:example:schema:go.1' })
    await job.wait(poll)
    expect(job.succeeded).toBe(true)
  })

  it('where there is nothing to run services, that is said', async () => {
    const { artifacts, aspects } = place.at
    const bare = clientOf({ artifacts, aspects })
    const error = await expectError(bare.getServiceByName('echo'), 'unsupported')
    expect(error.message).toContain('functionServices')
    await expectError(bare.getService(NOBODY), 'unsupported')
    expect(() => bare.listServices()).toThrow('functionServices')
  })
}
