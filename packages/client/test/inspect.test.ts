import { inspect } from 'node:util'
import { memoryBackend } from '@ivcap/backend-memory'
import { platformBackend } from '@ivcap/backend-platform'
import { defineService, functionServices } from '@ivcap/services'
import { expect, it } from 'vitest'
import { Ivcap, type IvcapEvent, isIvcapError } from '../src/index.js'

it('console.log of a handle shows what it is', async () => {
  const backend = memoryBackend()
  const services = functionServices(backend, [defineService({ name: 'greet', run: () => 'hello' })])
  const ivcap = new Ivcap({ ...backend, services }, { stateDir: false })
  const artifact = await ivcap.uploadArtifact({ name: 'reef.txt', content: 'a' })
  const aspect = await ivcap.addAspect(artifact, { $schema: 'urn:s:1', level: 'raw' })
  const collection = await ivcap.createCollection({ name: 'Reef 7' })
  const service = await ivcap.getServiceByName('greet')
  const job = await (await service.requestJob({})).wait()
  const shown: [unknown, string, ...string[]][] = [
    [artifact, 'Artifact', artifact.id, 'reef.txt', 'ready', 'size: 1', 'text/plain'],
    [aspect, 'Aspect', aspect.id, 'raw'],
    [collection, 'Collection', collection.id, 'Reef 7'],
    [service, 'Service', service.id, 'greet'],
    [job, 'Job', job.id, 'succeeded'],
    [ivcap, 'Ivcap', 'memory:'],
    [ivcap.listArtifacts(), 'Listing', '10'],
  ]
  for (const [handle, name, ...parts] of shown) {
    const text = inspect(handle)
    expect(text).toMatch(new RegExp(`^${name} \\{`))
    for (const part of parts) expect(text).toContain(part)
    expect(text).not.toContain('Symbol(')
    expect(inspect({ a: { b: { handle } } })).toContain(name)
    expect(Reflect.get(Object(handle), Symbol.for('Deno.customInspect')).call(handle, inspect, {})).toBe(text)
  }
  expect(ivcap.url).toBe('memory:')
  await ivcap.close()
})

it('shows no token', async () => {
  const backend = platformBackend({ url: 'http://127.0.0.1:1', token: 'canary', retries: 0, stateDir: false })
  const ivcap = new Ivcap(backend, { stateDir: false })
  const error = await ivcap
    .listArtifacts()
    .toArray()
    .catch((e: unknown) => e)
  expect(isIvcapError(error)).toBe(true)
  for (const value of [backend, ivcap, error]) {
    expect(inspect(value, { depth: 20, showHidden: true })).not.toContain('canary')
    expect(JSON.stringify(value)).not.toContain('canary')
  }
})

it('a failed job leads to the line where its function failed', async () => {
  const backend = memoryBackend()
  const [lines, events]: [string[], IvcapEvent[]] = [[], []]
  const boom = new TypeError('no such reef')
  const failing = defineService({
    name: 'failing',
    run: async function thisVeryFunction() {
      throw boom
    },
  })
  const services = functionServices(backend, [failing], {
    logger: { warn: (line) => lines.push(line) },
    onEvent: (event) => events.push(event),
  })
  const ivcap = new Ivcap({ ...backend, services }, { stateDir: false })
  const job = await (await (await ivcap.getServiceByName('failing')).requestJob({})).wait()
  const error = (() => {
    try {
      return job.result
    } catch (e) {
      return e
    }
  })()
  expect(error).toMatchObject({ code: 'precondition-failed', cause: boom })
  expect(lines.join()).toContain(boom.stack)
  expect(events).toMatchObject([{ kind: 'job-failed', resource: job.id, error: { cause: boom } }])
  expect(JSON.stringify(job)).not.toContain('"failure"')
  await ivcap.close()
})

it('the options of a parameter are declared with their values', () => {
  const parameters = JSON.parse('[{ "name": "mode", "type": "option", "options": ["fast", "slow"] }]')
  expect(() => functionServices(memoryBackend(), [{ name: 'x', parameters, run: () => 1 }])).toThrow(
    expect.objectContaining({ code: 'invalid-argument', argument: 'services[0].parameters[0].options[0]' }),
  )
})
