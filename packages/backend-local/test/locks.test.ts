import * as nodeFsSync from 'node:fs'
import * as nodeFs from 'node:fs/promises'
import { memfs } from 'memfs'
import { expect, it } from 'vitest'
import { localBackend } from '../src/index.js'
import { allAspects, draft, entity, tag } from './local.js'
import { errno, watched } from './support/failing-fs.js'
import { tempFolder } from './temp-folder.js'

it('a lock that can’t be removed at once is removed later: nobody waits for ever', async () => {
  const { fs } = memfs()
  let failures = 0
  const change = ({ call, path }: { call: string; path: string }) => {
    if (call === 'unlink' && path.includes('/locks/') && failures++ < 2) throw errno('EIO')
  }
  const failing = localBackend({ baseDir: '/base', fs: watched(fs.promises, { change }) })
  const other = localBackend({ baseDir: '/base', fs: fs.promises })
  await failing.aspects.assert(draft(entity, tag, { v: 1 }), 'replace', {})
  await other.aspects.assert(draft(entity, tag, { v: 2 }), 'replace', {})
  expect(failures).toBeGreaterThan(2)
  expect(await allAspects(other, { entity, schema: tag })).toMatchObject([{ content: { v: 2 } }])
  expect(await fs.promises.readdir('/base/.ivcap/locks')).toEqual([])
})

it('a lock whose file came to be before its writing failed holds up nobody', async () => {
  const disk = { ...nodeFs, sync: nodeFsSync }
  const baseDir = await tempFolder()
  let lock = ''
  let failures = 0
  const fs = watched(disk, {
    change: ({ call, path }) => {
      if (call === 'create') lock = path.includes('/locks/') ? path : ''
    },
    reading: (path) => {
      if (lock !== '' && path.startsWith('file ') && failures++ === 0) throw errno('EIO')
    },
  })
  const failing = localBackend({ baseDir, fs })
  const other = localBackend({ baseDir })
  await expect(failing.aspects.assert(draft(entity, tag, { v: 1 }), 'replace', {})).rejects.toThrow(/EIO/)
  expect(failures).toBe(1)
  await other.aspects.assert(draft(entity, tag, { v: 2 }), 'replace', { signal: AbortSignal.timeout(5000) })
  expect(await allAspects(other, { entity, schema: tag })).toMatchObject([{ content: { v: 2 } }])
})
