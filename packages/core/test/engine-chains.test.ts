import { expect, it } from 'vitest'
import { blobBackend } from '../src/engine/index.js'
import type { Urn } from '../src/model/urn.js'
import type { Backend } from '../src/ports/index.js'
import { contentSource } from '../src/streams/source.js'
import { Blobs, modelBlobs } from './support/model-blobs.js'

const ENTITY = 'urn:test:entity'
const SCHEMA = 'urn:test:schema:tag.1'
const query = { orderBy: 'valid_from', orderDirection: 'DESC', includeContent: true, limit: 10 } as const
const content = { $schema: SCHEMA }

/** Runs it over a store that answers all requests which wait at a time together; returns how often it answered until the result. */
async function chainOf(blobs: Blobs, run: (backend: Backend) => Promise<unknown>): Promise<number> {
  let waiting: (() => void)[] = []
  const arrive = () => new Promise<void>((resolve) => void waiting.push(resolve))
  let isDone = false
  const result = run(blobBackend(modelBlobs(blobs, { arrive }))).finally(() => {
    isDone = true
  })
  let rounds = 0
  for (;;) {
    // what follows from an answer is sent before the next one
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
    if (isDone) break
    const answered = waiting
    waiting = []
    rounds++
    for (const answer of answered) answer()
  }
  await result
  return rounds
}

const assert = (mode: 'add' | 'replace') => (backend: Backend) =>
  backend.aspects.assert({ entity: ENTITY, schema: SCHEMA, content }, mode, {})

type Prepare = (backend: Backend) => Promise<Urn>
const nothing: Prepare = async () => ENTITY
const added: Prepare = async (backend) => (await assert('add')(backend)).id
const updated: Prepare = async (backend) => (await assert('replace')(backend)).id
const mixed: Prepare = async (backend) => {
  await updated(backend)
  return await added(backend)
}
const retracted: Prepare = async (backend) => {
  const { id } = await assert('replace')(backend)
  await backend.aspects.retract(id, {})
  return id
}
const uploaded: Prepare = async ({ artifacts }) => {
  const draft = { mimeType: 'text/plain' }
  return (await artifacts.create(contentSource('bytes'), draft, { retries: 0, retryDelay: 0 })).id
}
it.each<[string, number, Prepare, (backend: Backend, id: Urn) => Promise<unknown>]>([
  ['the first add of a schema', 2, nothing, assert('add')],
  ['an add', 2, added, assert('add')],
  ['the first update', 4, nothing, assert('replace')],
  ['an update of an update', 4, updated, assert('replace')],
  ['an update of adds', 4, added, assert('replace')],
  ['an update of both', 4, mixed, assert('replace')],
  ['an update after a retraction', 4, retracted, assert('replace')],
  ['a retraction of an add', 4, added, ({ aspects }, id) => aspects.retract(id, {})],
  ['a retraction of an update', 4, updated, ({ aspects }, id) => aspects.retract(id, {})],
  ['an upload', 3, nothing, uploaded],
  ['getArtifact', 2, uploaded, ({ artifacts }, id) => artifacts.stat(id, {})],
  ['reading content', 2, uploaded, async ({ artifacts }, id) => (await artifacts.read(id, {})).body.cancel()],
  [
    'a list of an entity and schema',
    3,
    mixed,
    ({ aspects }) => aspects.list({ ...query, entity: ENTITY, schema: SCHEMA }, {}),
  ],
  [
    'the same as of a time',
    3,
    mixed,
    ({ aspects }) =>
      aspects.list({ ...query, entity: ENTITY, schema: SCHEMA, atTime: '2999-01-01T00:00:00.000000Z' }, {}),
  ],
  ['a list of an entity', 3, mixed, ({ aspects }) => aspects.list({ ...query, entity: ENTITY }, {})],
  ['a list of a schema', 3, mixed, ({ aspects }) => aspects.list({ ...query, schema: SCHEMA }, {})],
  ['a list of a pattern', 3, mixed, ({ aspects }) => aspects.list({ ...query, schema: 'urn:test:%' }, {})],
  ['a list of everything', 3, mixed, ({ aspects }) => aspects.list(query, {})],
  [
    'a list of everything as of a time',
    4,
    mixed,
    ({ aspects }) => aspects.list({ ...query, atTime: '2999-01-01T00:00:00.000000Z' }, {}),
  ],
])('%s: at most %i requests one after the other', async (_, most, prepare, run) => {
  const blobs = new Blobs()
  const before = blobBackend(modelBlobs(blobs))
  const id = await prepare(before)
  await before.close()
  expect(await chainOf(blobs, (backend) => run(backend, id))).toBeLessThanOrEqual(most)
})
