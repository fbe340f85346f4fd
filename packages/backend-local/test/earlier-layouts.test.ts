import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Ivcap } from '@ivcap/core'
import {
  type ArtifactRecord,
  type AspectRecord,
  type Backend,
  contentSource,
  isJsonObject,
} from '@ivcap/core/driver'
import { blobBackend } from '@ivcap/core/engine'
import { describe, expect, it } from 'vitest'
import { fileBlobs, localBackend } from '../src/index.js'
import { transfer } from './bytes.js'
import { allArtifacts, allAspects } from './local.js'
import { tempFolder } from './temp-folder.js'

/**
 * Folders and buckets as versions before the first release wrote them: what they hold, and what was read from them then. They
 * have updates that were cut off at each of their steps, closings that were not shown yet, and a broken index.
 */
interface Fixture {
  readonly contents: Readonly<Record<string, string>>
  readonly artifacts: readonly ArtifactRecord[]
  readonly aspects: readonly AspectRecord[]
  readonly atTime: string
  readonly past: readonly AspectRecord[]
}

async function fixture(name: string, base = ''): Promise<Fixture> {
  const path = join(import.meta.dirname, 'fixtures/layouts', name)
  const parsed: unknown = JSON.parse((await readFile(path, 'utf8')).replaceAll('@BASE@', base))
  if (!isJsonObject(parsed)) throw new Error(`${name} is not a fixture`)
  const { blobs, files, ...rest } = parsed
  // the fixture is written by this repository
  return { contents: blobs ?? files, ...rest } as unknown as Fixture
}

const BASE64 = 'base64:'
const bytesOf = (content: string): Uint8Array =>
  content.startsWith(BASE64)
    ? Buffer.from(content.slice(BASE64.length), 'base64')
    : new TextEncoder().encode(content)

async function openBucket(): Promise<{ reopen: () => Backend; expected: Fixture }> {
  const expected = await fixture('bucket-0.json')
  const dir = await tempFolder()
  const blobs = fileBlobs({ dir })
  for (const [key, content] of Object.entries(expected.contents))
    await blobs.put(key, contentSource(bytesOf(content)), { ...transfer, mode: 'create' })
  return { reopen: () => blobBackend(fileBlobs({ dir })), expected }
}

async function openFolder(): Promise<{ reopen: () => Backend; expected: Fixture }> {
  const baseDir = await tempFolder()
  const expected = await fixture('folder-0.json', baseDir)
  for (const [name, content] of Object.entries(expected.contents)) {
    const path = join(baseDir, name)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, bytesOf(content))
  }
  return { reopen: () => localBackend({ baseDir }), expected }
}

const byId = <T extends { readonly id: string }>(records: readonly T[]): T[] =>
  [...records].sort((a, b) => (a.id < b.id ? -1 : 1))

/** A record of a file counts for the bytes that were written then, so unpacked files have only what can be seen of them. */
const visible = ({ id, name, size, status }: ArtifactRecord) => ({ id, name, size, status })
/** Records that were closed meanwhile have an end now. */
const open = ({ validTo, ...record }: AspectRecord) => record

async function expectAll(backend: Backend, { artifacts, aspects, atTime, past }: Fixture): Promise<void> {
  expect(byId(await allArtifacts(backend)).map(visible)).toEqual(artifacts.map(visible))
  expect(byId(await allAspects(backend))).toEqual(aspects)
  expect(byId(await allAspects(backend, { atTime }))).toEqual(past)
}

/** Those that users added: not the records of artifacts, jobs and collections. */
const ownOf = ({ aspects }: Fixture) => aspects.filter((a) => !a.schema.startsWith('urn:ivcap:'))

describe.each([
  ['a folder', openFolder],
  ['a bucket', openBucket],
])('%s of an earlier version', (_, unpack) => {
  it('is read as it was', async () => {
    const { reopen, expected } = await unpack()
    await expectAll(reopen(), expected)
    const ivcap = new Ivcap(reopen(), { stateDir: false })
    for (const record of expected.aspects)
      expect((await ivcap.getAspect(record.id)).entity).toBe(record.entity)
    for (const record of expected.artifacts)
      expect((await (await ivcap.getArtifact(record.id)).bytes()).byteLength).toBe(record.size)
  })

  it('takes new records beside the old ones, and all are read by a new process', async () => {
    const { reopen, expected } = await unpack()
    const ivcap = new Ivcap(reopen(), { stateDir: false })
    const added = await Promise.all(
      ownOf(expected).map(({ entity, schema }) => ivcap.addAspect(entity, { $schema: schema, beside: true })),
    )
    const artifact = await ivcap.uploadArtifact({ name: 'later.txt', content: 'later' })
    await artifact.addMetadata({ $schema: 'urn:example:schema:later.1' })
    await ivcap.close()

    const later = new Ivcap(reopen(), { stateDir: false })
    const ids = (await later.listAspects({ limit: Infinity }).toArray()).map((a) => a.id)
    expect(ids).toEqual(expect.arrayContaining([...added, ...expected.aspects].map((a) => a.id)))
    expect(await (await later.getArtifact(artifact.id)).text()).toBe('later')
    expect(await later.listArtifacts({ limit: Infinity }).toArray()).toHaveLength(
      expected.artifacts.length + 1,
    )
    expect(byId(await allAspects(reopen(), { atTime: expected.atTime })).map(open)).toEqual(
      expected.past.map(open),
    )
  })

  it('is updated and retracted: each old record is closed once', async () => {
    const { reopen, expected } = await unpack()
    const ivcap = new Ivcap(reopen(), { stateDir: false })
    const pairs = new Map(ownOf(expected).map((a) => [`${a.entity} ${a.schema}`, a]))
    const own = [...pairs.values()]
    for (const { entity, schema } of own.slice(1))
      await ivcap.updateAspect(entity, { $schema: schema, anew: true })
    for (const old of await ivcap.listAspects({ entity: own[0]?.entity, schema: own[0]?.schema }).toArray())
      await old.retract()
    await ivcap.close()

    const later = new Ivcap(reopen(), { stateDir: false })
    for (const [i, { entity, schema }] of own.entries()) {
      const now = await later.listAspects({ entity, schema }).toArray()
      expect(now.map((a) => a.content)).toEqual(i === 0 ? [] : [{ $schema: schema, anew: true }])
    }
    for (const { id } of expected.aspects) expect((await later.getAspect(id)).id).toBe(id)
    expect(byId(await allAspects(reopen(), { atTime: expected.atTime })).map(open)).toEqual(
      expected.past.map(open),
    )
  })
})
