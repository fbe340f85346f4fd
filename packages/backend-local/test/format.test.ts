import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { localBackend } from '../src/index.js'
import { text } from './bytes.js'
import { allArtifacts, allAspects, draft, entity, named, plain, tag } from './local.js'
import { tempFolder } from './temp-folder.js'

async function recorded(content: string): Promise<string> {
  const dir = await tempFolder()
  await mkdir(join(dir, '.ivcap'))
  await writeFile(join(dir, '.ivcap', 'layout.json'), content)
  return dir
}

it('the first write records the format of the folder', async () => {
  const dir = await tempFolder()
  await localBackend({ baseDir: dir }).artifacts.create(text('x'), named('x'), plain)
  const record: unknown = JSON.parse(await readFile(join(dir, '.ivcap', 'layout.json'), 'utf8'))
  expect(record).toEqual({ format: 1, layout: 'flat' })
})

it.each(['{"format":2,"layout":"flat"}', '{"format":1,"layout":"artifacts"}'])(
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
