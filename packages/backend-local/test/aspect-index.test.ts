import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Backend } from '@ivcap/core/driver'
import { memfs } from 'memfs'
import { describe, expect, it } from 'vitest'
import { hostFs, type LocalFs } from '../src/fs/local-fs.js'
import { localBackend } from '../src/index.js'
import { allAspects, draft, entity, tag } from './local.js'
import { putAspect, readAspects } from './support/aspect-files.js'
import { tempFolder } from './temp-folder.js'

const COUNT = 300
const other = 'urn:example:reef:2'
const indexOf = (dir: string) => join(dir, '.ivcap', 'facts.jsonl')

/** A folder with enough records for an index, and one of `other` among them. */
async function prepared(): Promise<string> {
  const dir = await tempFolder()
  const { aspects } = localBackend({ baseDir: dir })
  await aspects.assertMany?.(
    Array.from({ length: COUNT }, (_, i) => draft(i === 7 ? other : entity, tag, { i })),
    {},
  )
  return dir
}

const flipped = (whole: Buffer, at: number): Uint8Array =>
  whole.map((byte, i) => (i === at ? byte ^ 4 : byte))

/** How many files of aspects were read to list what there is of `other`. */
async function readsOf(dir: string): Promise<number> {
  let reads = 0
  const counted = <T>(path: string, read: () => T): T => {
    if (dirname(path) === join(dir, 'aspects')) reads++
    return read()
  }
  const { sync } = hostFs
  const fs: LocalFs = {
    ...hostFs,
    open: (path, flags) => counted(path, () => hostFs.open(path, flags)),
    ...(sync && {
      sync: { ...sync, openSync: (path, flags) => counted(path, () => sync.openSync(path, flags)) },
    }),
  }
  expect(await allAspects(localBackend({ baseDir: dir, fs }), { entity: other })).toHaveLength(1)
  return reads
}

describe('the index', () => {
  it('spares a new process to read all records', async () => {
    const dir = await prepared()
    expect(await readsOf(dir)).toBe(1)
    await rm(indexOf(dir))
    expect(await readsOf(dir)).toBe(COUNT + 1)
    expect(await readsOf(dir)).toBe(1)
  })

  it('finds the one that a filter asks for behind many that it doesn’t', async () => {
    const { aspects, ...rest } = localBackend({ baseDir: await tempFolder() })
    await aspects.assertMany?.(
      Array.from({ length: 1200 }, (_, i) => draft(entity, tag, { i })),
      {},
    )
    const found = await allAspects({ aspects, ...rest }, { filter: 'content.i < 3', limit: 2 })
    expect(found.map(({ content }) => content?.['i'])).toEqual([2, 1, 0])
  })

  it('is not made for a few', async () => {
    const dir = await tempFolder()
    const backend = localBackend({ baseDir: dir })
    await backend.aspects.assert(draft(entity, tag), 'add', {})
    await allAspects(backend)
    await expect(stat(indexOf(dir))).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('works in other file systems', async () => {
    const { fs } = memfs()
    const drafts = Array.from({ length: COUNT }, (_, i) => draft(entity, tag, { i }))
    await localBackend({ baseDir: '/base', fs: fs.promises }).aspects.assertMany?.(drafts, {})
    expect(fs.existsSync(indexOf('/base'))).toBe(true)
    const again = localBackend({ baseDir: '/base', fs: fs.promises })
    await again.aspects.assert(draft(other, tag), 'add', {})
    expect(await allAspects(again, { entity: other })).toHaveLength(1)
    expect(await allAspects(localBackend({ baseDir: '/base', fs: fs.promises }))).toHaveLength(COUNT + 1)
  })

  it.each<[string, (whole: Buffer) => Uint8Array | undefined]>([
    ['gone', () => undefined],
    ['empty', () => new Uint8Array()],
    ['cut in its first batch', (whole) => whole.subarray(0, 1000)],
    ['cut in its head', (whole) => whole.subarray(0, 11)],
    ['followed by half a batch', (whole) => Buffer.concat([whole, whole.subarray(0, 500)])],
    ['followed by zeros', (whole) => Buffer.concat([whole, new Uint8Array(5000)])],
    ['altered in one bit', (whole) => flipped(whole, whole.lastIndexOf('reef:2') + 5)],
    ['what another program keeps there', () => Buffer.from('{"an": "index"}\n'.repeat(999))],
    ['of a size that makes no sense', (whole) => flipped(whole, 11)],
  ])('that is %s is made anew', async (_, damage) => {
    const dir = await prepared()
    const whole = await readFile(indexOf(dir))
    const expected = await allAspects(localBackend({ baseDir: dir }))
    expect(expected).toHaveLength(COUNT)
    const damaged = damage(whole)
    await rm(indexOf(dir))
    if (damaged !== undefined) await writeFile(indexOf(dir), damaged)
    expect(await allAspects(localBackend({ baseDir: dir }))).toEqual(expected)
    expect(await readsOf(dir)).toBe(1)
  })

  it('that can’t be read or written is done without', async () => {
    const dir = await prepared()
    await rm(indexOf(dir))
    await mkdir(indexOf(dir))
    const backend = localBackend({ baseDir: dir })
    expect(await allAspects(backend)).toHaveLength(COUNT)
    await backend.aspects.assert(draft(other, tag), 'add', {})
    expect(await allAspects(backend, { entity: other })).toHaveLength(2)
    expect(await allAspects(localBackend({ baseDir: dir }), { entity: other })).toHaveLength(2)
  })
})

describe('what other programs do', () => {
  const views: Record<string, (open: Backend, dir: string) => Backend> = {
    'an open process': (open) => open,
    'a new process': (_, dir) => localBackend({ baseDir: dir }),
  }

  it.each(Object.entries(views))('to files is seen by %s', async (_, view) => {
    const dir = await prepared()
    const open = localBackend({ baseDir: dir })
    const [first] = await allAspects(open, { entity: other })
    const made = await putAspect(dir, { entity: other, schema: tag, content: { by: 'python' } })
    const listed = async () => (await allAspects(view(open, dir), { entity: other })).map(({ id }) => id)
    expect(await listed()).toEqual([first?.id, made])
    await rm(join(dir, 'aspects', `${made.slice(-36)}.json`))
    expect(await listed()).toEqual([first?.id])
    // another file in its place, as many editors save
    const path = join(dir, 'aspects', `${first?.id.slice(-36)}.json`)
    const text = await readFile(path, 'utf8')
    await writeFile(`${path}~`, text.replace('"valid_to": null', '"valid_to": "2026-01-01T00:00:00Z"'))
    await rename(`${path}~`, path)
    expect(await listed()).toEqual([])
  })

  it.each(Object.entries(views))('to what is in a file is seen by %s', async (name, view) => {
    const dir = await prepared()
    const open = localBackend({ baseDir: dir })
    const [first] = await allAspects(open, { entity: other })
    const path = join(dir, 'aspects', `${first?.id.slice(-36)}.json`)
    const text = await readFile(path, 'utf8')
    const moved = 'urn:example:elsewhere'
    const count = async (of: string) => (await allAspects(view(open, dir), { entity: of })).length
    const rounds = name === 'a new process' ? 1 : 3

    await writeFile(path, text.replace(other, moved))
    expect(await count(other)).toBe(0)
    expect(await eventually(rounds, () => count(moved))).toBe(1)
    await writeFile(path, text.replace('"valid_to": null', '"valid_to": "2026-01-01T00:00:00Z"'))
    expect(await count(moved)).toBe(0)
    expect(await count(other)).toBe(0)
    await writeFile(path, text)
    expect(await eventually(rounds, () => count(other))).toBe(1)
    expect(await allAspects(view(open, dir), { entity: other })).toEqual([first])
    await writeFile(path, 'no more')
    expect(await count(other)).toBe(0)
    expect(await allAspects(view(open, dir))).toHaveLength(COUNT - 1)
  })
})

/** The first answer but 0, if there is one within so many rounds: each listing checks some of the files. */
async function eventually(rounds: number, count: () => Promise<number>): Promise<number> {
  for (let i = 1; i < rounds; i++) {
    const found = await count()
    if (found !== 0) return found
  }
  return await count()
}

it('agrees with the files, whatever they say and whatever is asked', { timeout: 30_000 }, async () => {
  const dir = await tempFolder()
  for (let i = 0; i < 400; i++) {
    const minute = String((i * 37) % 60).padStart(2, '0')
    await putAspect(dir, {
      entity: `urn:e:${i % 7}`,
      schema: `urn:s:${i % 5}`,
      content: { i },
      ...(i % 11 !== 0 && { valid_from: `2026-01-01T00:${minute}:00.${i % 3}+00:00` }),
      ...(i % 4 === 0 && { valid_to: `2026-01-01T01:${minute}:00Z` }),
    })
  }
  const files = await readAspects(dir)
  const backends = [localBackend({ baseDir: dir }), localBackend({ baseDir: dir })]
  const times = [undefined, '2026-01-01T00:30:00.000000Z', '2026-01-01T01:30:00.000000Z']
  for (const atTime of times) {
    for (const q of [
      {},
      { entity: 'urn:e:3' },
      { schema: 'urn:s:2' },
      { schema: '%:1', entity: 'urn:e:0' },
    ]) {
      for (const orderDirection of ['ASC', 'DESC'] as const) {
        const expected = files.inOrder({ ...q, ...(atTime && { atTime }), orderDirection })
        for (const backend of backends) {
          const listed = await allAspects(backend, {
            ...q,
            ...(atTime && { atTime }),
            orderDirection,
            limit: 23,
          })
          expect(listed.map(({ id }) => id)).toEqual(expected)
        }
      }
    }
  }
})
