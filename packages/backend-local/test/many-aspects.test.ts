import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { memfs } from 'memfs'
import { describe, expect, it } from 'vitest'
import { localBackend } from '../src/index.js'
import { allAspects, draft, entity, tag } from './local.js'
import { type Change, errno, watched } from './support/failing-fs.js'
import { tempFolder } from './temp-folder.js'

const drafts = (count: number) => Array.from({ length: count }, (_, i) => draft(entity, tag, { i }))
const places = {
  'this machine’s files': async () => ({ baseDir: await tempFolder() }),
  'files in memory': async () => ({ baseDir: '/base', fs: memfs().fs.promises }),
  'files that are synced': async () => ({ baseDir: await tempFolder(), fsync: true }),
}

describe.each(Object.entries(places))('many at once, to %s', (_, place) => {
  it('are all there, in their order', async () => {
    const options = await place()
    const { aspects } = localBackend(options)
    const made = await aspects.assertMany?.(drafts(300), {})
    expect(made?.map((record) => record.content?.['i'])).toEqual(drafts(300).map((_, i) => i))
    const listed = await allAspects(localBackend(options), { orderDirection: 'ASC' })
    expect(listed).toEqual(made)
    expect(await aspects.assertMany?.([], {})).toEqual([])
  })

  it('stop when they are aborted; those that are there are whole', async () => {
    const options = await place()
    const { aspects } = localBackend(options)
    const aborting = new AbortController()
    const adding = aspects.assertMany?.(drafts(3000), { signal: aborting.signal })
    setImmediate(() => aborting.abort('enough'))
    await expect(adding).rejects.toBe('enough')
    const listed = await allAspects(localBackend(options), { orderDirection: 'ASC' })
    expect(listed.length).toBeLessThan(3000)
    expect(listed.map((record) => record.content?.['i'])).toEqual(listed.map((_, i) => i))
  })
})

it('a disk that fills up ends them, with nothing half-written', async () => {
  const { fs } = memfs()
  // the first writer also records the layout
  await localBackend({ baseDir: '/base', fs: fs.promises }).aspects.assertMany?.(drafts(1), {})
  let created = 0
  const change = ({ call, path }: Change) => {
    if (call === 'create' && path.includes('/staging/') && ++created > 99) throw errno('ENOSPC')
  }
  const full = watched(fs.promises, { change })
  const adding = localBackend({ baseDir: '/base', fs: full }).aspects.assertMany?.(drafts(200), {})
  await expect(adding).rejects.toMatchObject({ code: 'unavailable', message: /free some space/ })
  expect(await allAspects(localBackend({ baseDir: '/base', fs: fs.promises }))).toHaveLength(100)
  expect(await fs.promises.readdir('/base/.ivcap/staging')).toEqual([])
})

it('what can’t be put in its place leaves nothing behind', async () => {
  const baseDir = await tempFolder()
  const { hostFs } = await import('../src/fs/local-fs.js')
  const { sync } = hostFs
  if (sync === undefined) throw new Error('this machine has no files')
  const renameSync = () => {
    throw errno('EACCES')
  }
  const { aspects } = localBackend({ baseDir, fs: { ...hostFs, sync: { ...sync, renameSync } } })
  const adding = aspects.assertMany?.(drafts(3), {})
  await expect(adding).rejects.toMatchObject({ code: 'permission-denied' })
  expect(await readdir(join(baseDir, '.ivcap', 'staging'))).toEqual([])
})
