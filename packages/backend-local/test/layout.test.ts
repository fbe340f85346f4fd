import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { localBackend } from '../src/index.js'
import { readText, text } from './bytes.js'
import { allArtifacts, allAspects, artifactNames, draft, entity, named, plain, tag } from './local.js'
import { tempFolder } from './temp-folder.js'

async function recorded(content: string): Promise<string> {
  const dir = await tempFolder()
  await mkdir(join(dir, '.ivcap'))
  await writeFile(join(dir, '.ivcap', 'layout.json'), content)
  return dir
}

async function recordOf(dir: string): Promise<unknown> {
  return JSON.parse(await readFile(join(dir, '.ivcap', 'layout.json'), 'utf8'))
}

async function folderWith(...paths: readonly string[]): Promise<string> {
  const dir = await tempFolder()
  for (const path of paths) {
    await mkdir(dirname(join(dir, path)), { recursive: true })
    await writeFile(join(dir, path), path)
  }
  return dir
}

it('the first write records the format of the folder', async () => {
  const dir = await tempFolder()
  await localBackend({ baseDir: dir }).artifacts.create(text('x'), named('x'), plain)
  expect(await recordOf(dir)).toEqual({ format: 1, layout: 'flat' })
})

it.each(['{"format":2,"layout":"flat"}', '{"format":1,"layout":"tree"}'])(
  'a folder with %s is neither read nor written',
  async (record) => {
    const backend = localBackend({ baseDir: await recorded(record) })
    const refused = { code: 'unsupported', message: expect.stringContaining('install a later version') }
    await expect(allArtifacts(backend)).rejects.toMatchObject(refused)
    await expect(allAspects(backend)).rejects.toMatchObject(refused)
    await expect(backend.artifacts.create(text('x'), named('x'), plain)).rejects.toMatchObject(refused)
    await expect(backend.aspects.assert(draft(entity, tag), 'add', {})).rejects.toMatchObject(refused)
  },
)

it.each(['', '{"format":', '[]', '{}'])('a record that was cut off (%s) is ignored', async (record) => {
  const backend = localBackend({ baseDir: await recorded(record) })
  await backend.artifacts.create(text('x'), named('x'), plain)
  expect(await allArtifacts(backend)).toHaveLength(1)
})

it('a record that was cut off is replaced by the next write', async () => {
  const dir = await recorded('{"format":')
  await localBackend({ baseDir: dir, layout: 'artifacts' }).artifacts.create(text('x'), named('x'), plain)
  expect(await recordOf(dir)).toEqual({ format: 1, layout: 'artifacts' })
})

it('with layout artifacts, names and listings are relative to the folder of artifacts', async () => {
  const dir = await tempFolder()
  const backend = localBackend({ baseDir: dir, layout: 'artifacts' })
  const { id, name } = await backend.artifacts.create(text('hello'), named('reef/counts.csv'), plain)
  expect({ id, name }).toEqual({ id: `urn:file://${dir}/artifacts/reef/counts.csv`, name: 'reef/counts.csv' })
  await backend.artifacts.create(text('x'), named('aspects/x'), plain)
  await writeFile(join(dir, 'outside.txt'), 'no artifact')

  const later = localBackend({ baseDir: dir })
  expect(await artifactNames(later)).toEqual(['aspects/x', 'reef/counts.csv'])
  expect(await readText((await later.artifacts.read(id, {})).body)).toBe('hello')
  expect(await later.artifacts.localPath?.(id)).toBe(join(dir, 'artifacts/reef/counts.csv'))
  await expect(later.artifacts.stat(`urn:file://${dir}/outside.txt`, {})).rejects.toMatchObject({
    code: 'not-found',
  })
  await expect(later.artifacts.create(text('x'), named('../outside.txt'), plain)).rejects.toMatchObject({
    code: 'invalid-argument',
  })
  expect(await later.verify?.({})).toEqual([])
  expect((await readdir(dir)).sort()).toEqual(['.ivcap', 'artifacts', 'aspects', 'outside.txt'])
})

it.each([
  ['artifacts', ['artifacts/a.txt']],
  ['artifacts', ['artifacts/a.txt', 'aspects/note.txt', '.hidden']],
  ['flat', ['artifacts/a.txt', 'b.txt']],
  ['flat', ['artifacts/a.txt', 'data/b.txt']],
  ['flat', ['artifacts']],
  ['flat', ['aspects/note.txt']],
])(
  'without a record, layout %s is found in a folder with %j and recorded by the first write',
  async (layout, paths) => {
    const dir = await folderWith(...paths)
    const backend = localBackend({ baseDir: dir })
    await allArtifacts(backend)
    expect(await readdir(dir)).not.toContain('.ivcap')
    await backend.artifacts.create(text('x'), named('new.txt'), plain)
    expect(await recordOf(dir)).toEqual({ format: 1, layout })
    const names = await artifactNames(localBackend({ baseDir: dir }))
    expect(names).toContain('new.txt')
    if (paths.includes('artifacts/a.txt'))
      expect(names).toContain(layout === 'flat' ? 'artifacts/a.txt' : 'a.txt')
  },
)

it('a folder recorded as flat stays flat if all its artifacts lie in a folder artifacts', async () => {
  const dir = await tempFolder()
  await localBackend({ baseDir: dir }).artifacts.create(text('x'), named('artifacts/a.txt'), plain)
  expect(await artifactNames(localBackend({ baseDir: dir }))).toEqual(['artifacts/a.txt'])
})

it.each([
  ['flat', 'artifacts'],
  ['artifacts', 'flat'],
] as const)('a folder with layout %s is not opened with layout %s', async (layout, other) => {
  const dir = await tempFolder()
  const options = { baseDir: dir, layout }
  await localBackend(options).artifacts.create(text('x'), named('x'), plain)
  const backend = localBackend({ baseDir: dir, layout: other })
  const refused = { code: 'invalid-argument', message: expect.stringContaining(`records "${layout}"`) }
  await expect(allArtifacts(backend)).rejects.toMatchObject(refused)
  await expect(backend.artifacts.create(text('x'), named('y'), plain)).rejects.toMatchObject(refused)
  expect(await artifactNames(localBackend(options))).toEqual(['x'])
})

it('two backends that open a new folder with different layouts: the first write decides', async () => {
  const dir = await tempFolder()
  const [flat, artifacts] = [
    localBackend({ baseDir: dir }),
    localBackend({ baseDir: dir, layout: 'artifacts' }),
  ]
  expect(await allArtifacts(flat)).toEqual([])
  await artifacts.artifacts.create(text('x'), named('x'), plain)
  await expect(flat.artifacts.create(text('y'), named('y'), plain)).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('try again'),
  })
  await flat.artifacts.create(text('y'), named('y'), plain)
  expect(await artifactNames(artifacts)).toEqual(['x', 'y'])
})

it('outputs of jobs lie below the folder of artifacts', async () => {
  const dir = await tempFolder()
  const backend = localBackend({ baseDir: dir, layout: 'artifacts' })
  const job = 'urn:ivcap:job:5e1a1b62-3c33-4a36-8f8b-0d9b6f7f3b11'
  const made = await backend.artifacts.create(text('x'), { ...named('out.txt'), job }, plain)
  expect(made).toMatchObject({
    name: 'out.txt',
    id: `urn:file://${dir}/artifacts/jobs/5e1a1b62-3c33-4a36-8f8b-0d9b6f7f3b11/out.txt`,
  })
  expect(await artifactNames(localBackend({ baseDir: dir }))).toEqual(['out.txt'])
})

it('a symbolic link in place of the folder of artifacts is refused', async () => {
  const dir = await tempFolder()
  await symlink(await tempFolder(), join(dir, 'artifacts'))
  const backend = localBackend({ baseDir: dir, layout: 'artifacts' })
  const refused = { code: 'invalid-argument', message: expect.stringContaining('no symbolic link') }
  await expect(allArtifacts(backend)).rejects.toMatchObject(refused)
  await expect(backend.artifacts.create(text('x'), named('x'), plain)).rejects.toMatchObject(refused)
})

it('an unknown layout is refused', () => {
  const layout = JSON.parse('"tree"')
  expect(() => localBackend({ baseDir: '/x', layout })).toThrow(/layout must be "flat" or "artifacts"/)
})
