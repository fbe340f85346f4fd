import { spawnSync } from 'node:child_process'
import { existsSync, type PathLike } from 'node:fs'
import * as fsp from 'node:fs/promises'
import { join } from 'node:path'
import { type BlobStore, type ByteSource, contentSource } from '@ivcap/core/driver'
import fc from 'fast-check'
import { memfs } from 'memfs'
import { describe, expect, it } from 'vitest'
import { fileBlobs, type LocalFs } from '../src/index.js'
import { noise, read, readText, streamOf, text, transfer } from './bytes.js'
import { type Change, errno, watched } from './support/failing-fs.js'
import { tempFolder } from './temp-folder.js'

const create = { ...transfer, mode: 'create' } as const
const overwrite = { ...transfer, mode: 'overwrite' } as const
const inMemory = () => fileBlobs({ dir: '/blobs', fs: memfs().fs.promises })

describe.each([
  ['this machine', async () => fileBlobs({ dir: join(await tempFolder(), 'blobs') })],
  ['this machine, fsync', async () => fileBlobs({ dir: join(await tempFolder(), 'blobs'), fsync: true })],
  ['memfs', async () => inMemory()],
])('blobs in a folder of %s', (_, open) => {
  it('gives back what was put, whole and in ranges', async () => {
    const blobs = await open()
    const bytes = noise(3_000_001)
    for (const [key, source] of [
      ['small-chunks', streamOf(bytes, 70_001)],
      ['large-chunks', streamOf(bytes, 1_500_000)],
    ] as const) {
      const seen: number[] = []
      const info = await blobs.put(key, source, { ...create, onProgress: (n) => seen.push(n) })
      expect(info).toEqual(await blobs.head(key, {}))
      expect(info.size).toBe(bytes.byteLength)
      expect(seen.at(-1)).toBe(bytes.byteLength)
      const whole = await blobs.get(key, {})
      expect(Buffer.compare(await read(whole.body), bytes)).toBe(0)
      const part = await blobs.get(key, { range: { start: 1_048_570, end: 2_097_160 } })
      expect(Buffer.compare(await read(part.body), bytes.subarray(1_048_570, 2_097_160))).toBe(0)
    }
  })

  it('lets exactly one of many creators win', async () => {
    const blobs = await open()
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) => blobs.put('deep/er/x', text(`writer ${i}`), create)),
    )
    const winners = results.flatMap((r, i) => (r.status === 'fulfilled' ? [i] : []))
    expect(winners).toHaveLength(1)
    for (const r of results)
      if (r.status === 'rejected') expect(r.reason).toMatchObject({ code: 'already-exists' })
    expect(await readText((await blobs.get('deep/er/x', {})).body)).toBe(`writer ${winners[0]}`)
  })

  it('changes the etag with every overwrite, and holds readers to theirs', async () => {
    const blobs = await open()
    const etags = new Set<string>()
    for (let i = 0; i < 5; i++) etags.add((await blobs.put('x', text(`v${i}`), overwrite)).etag)
    if (_ !== 'memfs') expect(etags.size).toBe(5)
    const old = await blobs.get('x', {})
    await blobs.put('x', text('another'), overwrite)
    await expect(read(old.body)).rejects.toMatchObject({ code: 'integrity' })
    await expect(blobs.get('x', { ifMatch: old.info.etag })).rejects.toMatchObject({
      code: 'precondition-failed',
    })
  })

  it('leaves nothing when a source fails or is aborted, or keeps what was there', async () => {
    const blobs = await open()
    await blobs.put('kept', text('first'), create)
    async function* broken() {
      yield noise(2_000_000)
      throw new Error('the sensor went away')
    }
    for (const key of ['kept', 'new']) {
      await expect(blobs.put(key, contentSource(broken()), overwrite)).rejects.toThrow()
      const stop = new AbortController()
      const reason = new Error('enough')
      async function* endless() {
        for (;;) {
          yield noise(300_000)
          stop.abort(reason)
        }
      }
      await expect(
        blobs.put(key, contentSource(endless()), { ...overwrite, signal: stop.signal }),
      ).rejects.toBe(reason)
    }
    expect(await keysOf(blobs, '')).toEqual(['kept'])
    expect(await readText((await blobs.get('kept', {})).body)).toBe('first')
  })

  it('deletes, twice if need be, and makes room again', async () => {
    const blobs = await open()
    await blobs.put('a/b/c', text('x'), create)
    await blobs.delete('a/b/c', {})
    await blobs.delete('a/b/c', {})
    await expect(blobs.head('a/b/c', {})).rejects.toMatchObject({ code: 'not-found' })
    await blobs.put('a', text('now a file'), create)
    expect(await keysOf(blobs, '')).toEqual(['a'])
  })

  it('puts while the folder is emptied next door', async () => {
    const blobs = await open()
    await Promise.all(
      Array.from({ length: 8 }, async (_, worker) => {
        for (let i = 0; i < 25; i++) {
          await blobs.put(`d/${worker}/${i}`, text('x'), create)
          await blobs.delete(`d/${worker}/${i}`, {})
        }
      }),
    )
    expect(await keysOf(blobs, '')).toEqual([])
  })
})

const word = fc.string({
  unit: fc.constantFrom('a', 'b', '-', '.', '0', ':', '~'),
  minLength: 1,
  maxLength: 3,
})
const key = fc.array(word, { minLength: 1, maxLength: 3 }).map((segments) => segments.join('/'))

describe('a sealed file', () => {
  const sealed = (path: string, bytes: Uint8Array): ByteSource => ({
    ...contentSource(bytes),
    native: { kind: 'file', path, sealed: true },
  })

  it.each([false, true])(
    'gets a second name instead of a copy, and keeps its first (fsync: %s)',
    async (fsync) => {
      const dir = await tempFolder()
      const path = join(dir, 'upload')
      await fsp.writeFile(path, 'the bytes')
      const blobs = fileBlobs({ dir: join(dir, 'blobs'), fsync })
      const info = await blobs.put('a/b', sealed(path, Buffer.from('the bytes')), create)
      expect(info).toEqual(await blobs.head('a/b', {}))
      expect((await fsp.stat(join(dir, 'blobs/a/b'))).ino).toBe((await fsp.stat(path)).ino)
      expect(await fsp.readdir(join(dir, 'blobs/.staging'))).toEqual([])
      const again = blobs.put('a/b', sealed(path, Buffer.from('the bytes')), create)
      await expect(again).rejects.toMatchObject({ code: 'already-exists' })
      await fsp.rm(path)
      expect(await readText((await blobs.get('a/b', {})).body)).toBe('the bytes')
    },
  )

  it('is copied where the store can have no second name of it', async () => {
    const dir = await tempFolder()
    const bytes = noise(100_000)
    for (const blobs of [fileBlobs({ dir }), inMemory()]) {
      await blobs.put('x', sealed(join(dir, 'not there'), bytes), create)
      expect(Buffer.compare(await read((await blobs.get('x', {})).body), bytes)).toBe(0)
    }
  })
})

it('lists as a sorted array of keys would', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(key, { maxLength: 25 }),
      fc.string({ unit: fc.constantFrom('a', 'b', '-', '/', '.'), maxLength: 4 }),
      fc.option(key, { nil: undefined }),
      fc.integer({ min: 0, max: 6 }),
      async (keys, prefix, startAfter, limit) => {
        const blobs = inMemory()
        // a folder holds no key that is also the beginning of another one's path
        const held = keys.filter((k) => !keys.some((other) => other.startsWith(`${k}/`)))
        for (const k of held) await blobs.put(k, text(k), create)
        const expected = held
          .filter((k) => k.startsWith(prefix) && (startAfter === undefined || k > startAfter))
          .sort((a, b) => (a < b ? -1 : 1))
        const page = await blobs.list({ prefix, limit, ...(startAfter && { startAfter }) }, {})
        expect(page.items.map((i) => i.key)).toEqual(expected.slice(0, limit))
        expect(page.more).toBe(expected.length > limit)
      },
    ),
    { numRuns: 150 },
  )
})

it('opens only the folders that a listing needs', async () => {
  const { fs } = memfs()
  const opened: string[] = []
  const counting: LocalFs = {
    ...fs.promises,
    readdir: (path, o) => {
      opened.push(path)
      return fs.promises.readdir(path, o)
    },
  }
  const blobs = fileBlobs({ dir: '/b', fs: counting })
  for (const k of ['a/1', 'a/2', 'b/1', 'c/1/x', 'c/2/x', 'd/1']) await blobs.put(k, text(k), create)
  opened.length = 0
  await blobs.list({ prefix: 'c/', startAfter: 'c/1/x', limit: 10 }, {})
  expect(opened).toEqual(['/b/c', '/b/c/1', '/b/c/2'])
  opened.length = 0
  await blobs.list({ prefix: '', limit: 1 }, {})
  expect(opened).toEqual(['/b', '/b/a'])
})

describe('a disk that fails', () => {
  const failing = (errno: string, at: 'write' | 'link' | 'open'): LocalFs => {
    const fail = async (): Promise<never> => {
      throw Object.assign(new Error(`${errno}: said the test`), { code: errno })
    }
    return {
      ...fsp,
      ...(at === 'link' && { link: fail }),
      open: async (path: PathLike, flags?: string | number) => {
        if (at === 'open' && flags === 'wx') return fail()
        const handle = await fsp.open(path, flags)
        if (at === 'write') handle.write = fail
        return handle
      },
    }
  }

  it.each([
    ['ENOSPC', 'write', 'unavailable', false, /disk is full/],
    ['ENOSPC', 'link', 'unavailable', false, /disk is full/],
    ['EDQUOT', 'write', 'unavailable', false, /quota/],
    ['EIO', 'write', 'unavailable', false, /check it/],
    ['EMFILE', 'open', 'unavailable', true, /too many files/],
    ['EROFS', 'open', 'permission-denied', false, /read-only/],
    ['EPERM', 'link', 'unsupported', false, /hard links/],
  ] as const)('%s at %s', async (errno, at, code, retryable, message) => {
    const dir = await tempFolder()
    const blobs = fileBlobs({ dir, fs: failing(errno, at) })
    const put = blobs.put('x', text('content'), create)
    await expect(put).rejects.toMatchObject({ code, retryable })
    await expect(put).rejects.toThrow(message)
    const fine = fileBlobs({ dir })
    expect(await keysOf(fine, '')).toEqual([])
    expect(await fsp.readdir(join(dir, '.staging'))).toEqual([])
  })
})

it('a creation whose folder could not be synced leaves nothing, and can be made again', async () => {
  const dir = await tempFolder()
  const change = ({ call, path }: Change) => {
    if (call === 'sync' && path === dir) throw errno('EIO')
  }
  const failing = fileBlobs({ dir, fs: watched(fsp, { change }), fsync: true })
  await expect(failing.put('x', text('content'), create)).rejects.toMatchObject({ code: 'unavailable' })
  const fine = fileBlobs({ dir, fsync: true })
  expect(await keysOf(fine, '')).toEqual([])
  await fine.put('x', text('content'), create)
  expect(await readText((await fine.get('x', {})).body)).toBe('content')
})

it('refuses a key below another one, as a folder must', async () => {
  const blobs = fileBlobs({ dir: await tempFolder() })
  await blobs.put('a', text('x'), create)
  await blobs.put('b/c', text('x'), create)
  await expect(blobs.put('a/b', text('x'), create)).rejects.toMatchObject({ code: 'invalid-argument' })
  await expect(blobs.put('b', text('x'), create)).rejects.toMatchObject({ code: 'invalid-argument' })
  await expect(blobs.put('b', text('x'), overwrite)).rejects.toMatchObject({ code: 'invalid-argument' })
  expect(await keysOf(blobs, 'a/')).toEqual([])
  expect(await keysOf(blobs, '')).toEqual(['a', 'b/c'])
})

it('says so when the folder is a file, and makes nothing to read an absent one', async () => {
  const dir = await tempFolder()
  await fsp.writeFile(join(dir, 'file'), 'x')
  const blobs = fileBlobs({ dir: join(dir, 'file') })
  await expect(blobs.put('x', text('x'), create)).rejects.toMatchObject({ code: 'invalid-argument' })
  await expect(blobs.list({ prefix: '', limit: 1 }, {})).rejects.toMatchObject({ code: 'invalid-argument' })
  await expect(blobs.head('x', {})).rejects.toMatchObject({ code: 'invalid-argument' })
  const absent = fileBlobs({ dir: join(dir, 'absent') })
  expect(await keysOf(absent, '')).toEqual([])
  await absent.delete('x', {})
  expect(existsSync(join(dir, 'absent'))).toBe(false)
})

// known failure: stranded-parts
it('clears what ended processes left in the staging folder, and only that', async () => {
  const dir = await tempFolder()
  const staging = join(dir, '.staging')
  await fsp.mkdir(staging)
  const mine = await ownerOfMyFiles(dir)
  const [place = '', pid] = mine.split('-')
  const ended = spawnSync(process.execPath, ['-e', '']).pid
  await fsp.writeFile(join(staging, `${place}-${ended}-1.a`), 'left by a process that ended')
  await fsp.writeFile(join(staging, `${place}-${pid}-12345.b`), 'left by one that had our process id before')
  await fsp.writeFile(join(staging, `${place}-${process.ppid}-0.c`), 'of one that runs')
  await fsp.writeFile(join(staging, `${mine}.d`), 'ours')
  await fsp.writeFile(join(staging, 'elsewhere-1-1.e'), 'of another machine')
  await fsp.writeFile(join(staging, 'elsewhere-1-1.f'), 'of another machine, long ago')
  await fsp.utimes(join(staging, 'elsewhere-1-1.f'), 1, 1)
  await keysOf(fileBlobs({ dir }), '')
  const left = (await fsp.readdir(staging)).map((name) => name.split('.').at(-1)).sort()
  expect(left).toEqual(['c', 'd', 'e'])
})

/** Read off the staging file of an upload that is under way. */
async function ownerOfMyFiles(dir: string): Promise<string> {
  let owner = ''
  async function* content() {
    yield noise(300_000)
    owner = (await fsp.readdir(join(dir, '.staging')))[0]?.split('.')[0] ?? ''
  }
  const blobs = fileBlobs({ dir })
  await blobs.put('x', contentSource(content()), create)
  return owner
}

async function keysOf(blobs: BlobStore, prefix: string): Promise<string[]> {
  return (await blobs.list({ prefix, limit: 1000 }, {})).items.map((i) => i.key)
}
