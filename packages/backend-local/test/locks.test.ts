import { memfs } from 'memfs'
import { expect, it } from 'vitest'
import { localBackend } from '../src/index.js'
import { allAspects, draft, entity, tag } from './local.js'
import { errno, watched } from './support/failing-fs.js'

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
