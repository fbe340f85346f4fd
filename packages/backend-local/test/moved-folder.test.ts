import { cp, mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Ivcap } from '@ivcap/core'
import { describe, expect, it } from 'vitest'
import { localBackend } from '../src/index.js'
import { putAspect } from './support/aspect-files.js'
import { tempFolder } from './temp-folder.js'

const tags = 'urn:example:schema:tags.1'
const client = (baseDir: string) => new Ivcap(localBackend({ baseDir }))

/** A folder `one` with an annotated artifact in a collection. */
async function written() {
  const parent = await tempFolder()
  const [one, two] = [join(parent, 'one'), join(parent, 'two')]
  const ivcap = client(one)
  const made = await ivcap.uploadArtifact({ name: 'd/a.csv', content: 'x' })
  await made.addMetadata({ $schema: tags, tags: ['coral'] })
  const collection = await ivcap.createCollection({ name: 'all' })
  await collection.add(made.id)
  return { one, two, made, collection }
}

describe.each(['moved', 'copied'] as const)('a folder that was %s', (how) => {
  const go = async () => {
    const all = await written()
    if (how === 'moved') await rename(all.one, all.two)
    else await cp(all.one, all.two, { recursive: true })
    return all
  }

  it('keeps the annotations of its files, under either URN', async () => {
    const { two, made } = await go()
    const ivcap = client(two)
    const [artifact] = await ivcap.listArtifacts().toArray()
    expect(artifact?.id).toBe(`urn:file://${two}/d/a.csv`)
    expect(await artifact?.metadata({ schema: tags }).toArray()).toMatchObject([{ entity: artifact?.id }])
    for (const entity of [made.id, artifact?.id ?? ''])
      expect(await ivcap.listAspects({ entity, schema: tags }).toArray()).toMatchObject([
        { entity: artifact?.id },
      ])
    expect((await ivcap.getArtifact(artifact?.id ?? '')).toJSON()).toMatchObject({ mimeType: 'text/csv' })
  })

  it('replaces, under either URN, what was written before', async () => {
    const { two, made } = await go()
    const [artifact] = await client(two).listArtifacts().toArray()
    await client(two).updateAspect(artifact?.id ?? '', { $schema: tags, tags: ['kelp'] })
    await client(two).updateAspect(made.id, { $schema: tags, tags: ['sand'] })
    const found = await client(two).listAspects({ schema: tags }).toArray()
    expect(found).toMatchObject([{ entity: artifact?.id, content: { tags: ['sand'] } }])
  })

  it('keeps its collections', async () => {
    const { two, collection } = await go()
    const moved = await client(two).getCollection(collection.id)
    const [artifact] = await client(two).listArtifacts().toArray()
    expect((await moved.items().toArray()).map(({ item }) => item)).toEqual([artifact?.id])
    // a member already
    expect(await moved.add(artifact?.id ?? '')).toBeUndefined()
  })
})

it('an artifact is found by its URN of before, at once by a new process', async () => {
  const { one, two, made } = await written()
  await rename(one, two)
  expect(await (await client(two).getArtifact(made.id)).text()).toBe('x')
})

it('a former base that is a folder of its own again stays its own', async () => {
  const { one, two, made } = await written()
  await rename(one, two)
  const again = await client(one).uploadArtifact({ name: 'b.csv', content: 'other' })
  expect(await again.metadata({ schema: tags }).toArray()).toEqual([])
  const { artifacts } = localBackend({ baseDir: two })
  await expect(artifacts.stat(made.id, {})).rejects.toMatchObject({ code: 'not-found' })
  expect(await (await client(two).getArtifact(again.id)).text()).toBe('other')
})

it('survives a second move, and a large index', async () => {
  const { one, two, made } = await written()
  const inputs = Array.from({ length: 300 }, (_, v) => ({
    entity: made.id,
    content: { $schema: 'urn:x:n', v },
  }))
  await client(one).addAspects(inputs)
  await client(one).listAspects({ entity: made.id }).toArray()
  await rename(one, two)
  await client(two).updateAspect(made.id, { $schema: tags, tags: ['kelp'] })
  await client(two).listAspects({ entity: made.id }).toArray()
  const three = `${two}-b`
  await rename(two, three)
  const ivcap = client(three)
  const [artifact] = await ivcap.listArtifacts().toArray()
  const found = await ivcap
    .listAspects({ entity: artifact?.id ?? '', schema: 'urn:x:n', limit: 1000 })
    .toArray()
  expect(found).toHaveLength(300)
  expect(await artifact?.metadata({ schema: tags }).toArray()).toMatchObject([
    { content: { tags: ['kelp'] } },
  ])
})

it('URNs of other folders mean what they say', async () => {
  const { one, two } = await written()
  const other = join(two, '..', 'one-b', 'x.csv')
  await mkdir(join(other, '..'))
  await writeFile(other, 'y')
  await putAspect(one, { entity: `urn:file://${other}`, schema: tags, content: {} })
  await rename(one, two)
  const entities = (await client(two).listAspects({ schema: tags }).toArray()).map(({ entity }) => entity)
  expect(entities.sort()).toEqual([`urn:file://${other}`, `urn:file://${two}/d/a.csv`].sort())
})
