import { basename, dirname } from 'node:path'
import { describe, expect, it } from 'vitest'
import { hostFs } from '../src/fs/local-fs.js'
import { localBackend } from '../src/index.js'
import { allAspects, draft, entity, tag } from './local.js'
import { errno, watched } from './support/failing-fs.js'
import { tempFolder } from './temp-folder.js'

/** A folder with one record in force, and a view of it that can not read what `fails` names, the next `times` times. */
async function damaged(times: number) {
  const baseDir = await tempFolder()
  const healthy = localBackend({ baseDir })
  const first = await healthy.aspects.assert(draft(entity, tag, { v: 1 }), 'replace', {})
  let left = 0
  let failing = 'aspects'
  const reading = (path: string) => {
    if (basename(dirname(path)) === failing && left-- > 0) throw errno('EIO')
  }
  const backend = localBackend({ baseDir, fs: watched(hostFs, { change: () => {}, reading }) })
  expect(await allAspects(backend)).toHaveLength(1)
  const fail = (folder = 'aspects') => {
    failing = folder
    left = times
  }
  return { backend, healthy, first, fail }
}

const next = draft(entity, tag, { v: 2 })

describe('a disk error that is gone when the file is read again', () => {
  it('costs an update nothing: what it replaces is closed', async () => {
    const { backend, healthy, first, fail } = await damaged(1)
    fail()
    const second = await backend.aspects.assert(next, 'replace', {})
    expect(second.replaces).toBe(first.id)
    expect(await allAspects(healthy)).toMatchObject([{ id: second.id }])
  })
})

describe('a record that the disk does not give', () => {
  const lost = { code: 'unavailable', message: expect.stringContaining('the disk reports an error') }

  it('is not taken for one that is not there', async () => {
    const { backend, first, fail } = await damaged(Number.POSITIVE_INFINITY)
    fail()
    await expect(backend.aspects.get(first.id, {})).rejects.toMatchObject(lost)
    await expect(backend.aspects.retract(first.id, {})).rejects.toMatchObject(lost)
  })

  it('stops an update that would replace it, rather than leave two in force', async () => {
    const { backend, healthy, first, fail } = await damaged(Number.POSITIVE_INFINITY)
    fail()
    await expect(backend.aspects.assert(next, 'replace', {})).rejects.toMatchObject(lost)
    expect(await allAspects(healthy)).toMatchObject([{ id: first.id }])
    // others are none of its business
    await backend.aspects.assert(draft('urn:example:reef:2', tag), 'replace', {})
  })

  it('is not shown as in force because its end can not be read', async () => {
    const { backend, healthy, first, fail } = await damaged(Number.POSITIVE_INFINITY)
    await healthy.aspects.assert(next, 'replace', {})
    fail('closed')
    await expect(backend.aspects.get(first.id, {})).rejects.toMatchObject(lost)
  })
})
