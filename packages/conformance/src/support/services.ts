import { Ivcap } from '@ivcap/core'
import type { Backend, ServiceStore } from '@ivcap/core/driver'
import { defineService, type FunctionService, functionServices } from '@ivcap/services'
import { afterEach } from 'vitest'

const never = new Promise<never>(() => {})

const text = { name: 'text', type: 'artifact', description: 'what is read' } as const
const twin = { name: 'twin', run: () => 1 }

/** The services that the suite calls. A deployment under test must run them; otherwise they run on the backend itself. */
export const testServices: readonly FunctionService[] = [
  defineService({
    name: 'shout',
    description: 'Grüße, in capitals 🐠',
    parameters: [
      text,
      { name: 'times', type: 'int', default: 1 },
      { name: 'share', type: 'float', optional: true, unit: 'm', label: 'Share' },
      {
        name: 'mark',
        type: 'option',
        options: [{ value: '!' }, { value: '?', description: 'asks' }],
        default: '!',
      },
      { name: 'loud', type: 'bool', default: true },
      { name: 'reef', type: 'collection', optional: true },
      { name: 'name', type: 'string', default: 'shout.txt' },
    ],
    async run({ text, times, mark, loud, name }, { uploadArtifact }) {
      const words = await text.text()
      const said = (loud ? words.toUpperCase() : words) + mark
      const output = await uploadArtifact({ name, content: said.repeat(times) })
      return { output: output.id, letters: words.length }
    },
  }),
  defineService({ name: 'echo', run: (params) => params }),
  defineService({
    name: 'fail',
    run: () => {
      throw new Error('the tide is out')
    },
  }),
  defineService({ name: 'silent', run: () => undefined }),
  defineService({ name: 'no-json', run: () => ({ depths: [1, Number.NaN] }) }),
  defineService({ name: 'too-long', timeout: 50, run: () => never }),
  defineService({
    // runs until an aspect of the entity exists
    name: 'wait',
    parameters: [{ name: 'entity', type: 'string' }],
    async run({ entity }, { ivcap, signal }) {
      for (;;) {
        const [said] = await ivcap.listAspects({ entity, limit: 1, signal }).toArray()
        if (said !== undefined) return said.content
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    },
  }),
  defineService({
    name: 'read',
    async run({ id }, { getArtifact }) {
      const artifact = await getArtifact(String(id))
      return artifact.text()
    },
  }),
  twin,
  { ...twin },
]

/**
 * Returns a function that adds services to a backend that has none of its own. Call it inside `describe`: after each test, it
 * ends the jobs that the test has left running.
 */
export function withServices(): (backend: Backend) => Backend {
  const opened: ServiceStore[] = []
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((store) => store.close?.()))
  })
  return (backend) => {
    if (backend.services !== undefined) return backend
    const services = functionServices(backend, testServices, { shutdownTimeout: 1 })
    opened.push(services)
    return { ...backend, services }
  }
}

export const clientOf = (backend: Backend): Ivcap => new Ivcap(backend, { stateDir: false })
