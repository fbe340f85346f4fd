import { type } from 'arktype'
import * as v from 'valibot'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { z } from 'zod'
import { blobBackend } from '../src/engine/index.js'
import { defineAspect, Ivcap, type IvcapEvent } from '../src/index.js'
import { Blobs, modelBlobs } from './support/model-blobs.js'

const SCHEMA = 'urn:example:schema:quality.1'

const types = [
  [
    'zod',
    defineAspect(SCHEMA, z.object({ level: z.enum(['raw', 'checked']), depth: z.number().default(0) })),
  ],
  [
    'valibot',
    defineAspect(
      SCHEMA,
      v.object({ level: v.picklist(['raw', 'checked']), depth: v.optional(v.number(), 0) }),
    ),
  ],
  ['arktype', defineAspect(SCHEMA, type({ level: "'raw' | 'checked'", depth: 'number = 0' }))],
] as const

function client() {
  const events: IvcapEvent[] = []
  const ivcap = new Ivcap(blobBackend(modelBlobs(new Blobs())), {
    stateDir: false,
    onEvent: (event) => events.push(event),
  })
  return { ivcap, events }
}

describe.each(types)('aspects typed by %s', (_, Quality) => {
  it('are stored as the type gives them, and read back', async () => {
    const { ivcap } = client()
    const artifact = await ivcap.uploadArtifact({ name: 'a', content: 'x' })
    expect(await artifact.getMetadata(Quality)).toBeUndefined()
    await artifact.addMetadata(Quality, { level: 'raw' })
    const quality = await artifact.getMetadata(Quality)
    expectTypeOf(quality?.value.level).toEqualTypeOf<'raw' | 'checked' | undefined>()
    expect(quality?.value).toEqual({ level: 'raw', depth: 0 })
    expect(quality?.content).toEqual({ $schema: SCHEMA, level: 'raw', depth: 0 })
    await artifact.updateMetadata(Quality, { level: 'checked', depth: 5 })
    expect((await artifact.metadata({ schema: SCHEMA }).toArray()).length).toBe(1)
    const listed = await ivcap.listAspects({ type: Quality, where: { depth: { gt: 4 } } }).toArray()
    expect(listed.map(({ value }) => value)).toEqual([{ level: 'checked', depth: 5 }])
    const found = await ivcap.findArtifacts({ type: Quality, where: { level: 'checked' } }).toArray()
    expect(found.map(({ id }) => id)).toEqual([artifact.id])
  })

  it('are refused with what is wrong, and nothing is stored', async () => {
    const { ivcap } = client()
    const artifact = await ivcap.uploadArtifact({ name: 'a', content: 'x' })
    // @ts-expect-error: no such level
    const adding = artifact.addMetadata(Quality, { level: 'row' })
    await expect(adding).rejects.toMatchObject({
      code: 'invalid-argument',
      argument: 'content',
      issues: [{ path: ['level'], message: expect.any(String) }],
    })
    expect(await artifact.metadata({ schema: SCHEMA }).toArray()).toEqual([])
  })

  it('that others wrote wrong: integrity for one, left out of lists and told', async () => {
    const { ivcap, events } = client()
    const artifact = await ivcap.uploadArtifact({ name: 'a', content: 'x' })
    await artifact.addMetadata(Quality, { level: 'raw' })
    await artifact.addMetadata({ $schema: SCHEMA, level: 7 })
    await expect(artifact.getMetadata(Quality)).rejects.toMatchObject({
      code: 'integrity',
      issues: [{ path: ['level'] }],
    })
    const listed = await ivcap.listAspects({ type: Quality }).toArray()
    expect(listed.map(({ value }) => value.level)).toEqual(['raw'])
    expect(events).toContainEqual(expect.objectContaining({ kind: 'left-out' }))
  })
})

it('content as JSON is checked by a schema', async () => {
  const { ivcap } = client()
  const artifact = await ivcap.uploadArtifact({ name: 'a.json', content: '{"n":1}' })
  const good = await artifact.json(z.object({ n: z.number() }))
  expectTypeOf(good).toEqualTypeOf<{ n: number }>()
  expect(good).toEqual({ n: 1 })
  await expect(artifact.json(z.object({ n: z.string() }))).rejects.toMatchObject({
    code: 'integrity',
    operation: 'json',
    resource: artifact.id,
    issues: [{ path: ['n'] }],
  })
})

it('many contents are added in one call', async () => {
  const { ivcap } = client()
  const artifact = await ivcap.uploadArtifact({ name: 'a', content: 'x' })
  await artifact.addMetadata([1, 2, 3].map((n) => ({ $schema: SCHEMA, n })))
  expect((await artifact.metadata({ schema: SCHEMA }).toArray()).length).toBe(3)
  await expect(artifact.addMetadata([{ n: 1 }])).rejects.toMatchObject({ argument: 'metadata[0].schema' })
})

it.each([
  [() => defineAspect('no urn', z.object({})), 'schema'],
  [() => Reflect.apply(defineAspect, undefined, [SCHEMA, {}]), 'validator'],
])('what is no type is refused', (define, argument) => {
  expect(define).toThrow(expect.objectContaining({ code: 'invalid-argument', argument }))
})
