import { execFileSync } from 'node:child_process'
import { mkdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { IvcapEvent } from '@ivcap/core/driver'
import { describe, expect, it } from 'vitest'
import { hostFs } from '../src/fs/local-fs.js'
import { localBackend } from '../src/index.js'
import { text } from './bytes.js'
import { allArtifacts, allAspects, artifactNames, draft, entity, named, plain, tag } from './local.js'
import { putAspect } from './support/aspect-files.js'
import { errno, watched } from './support/failing-fs.js'
import { tempFolder } from './temp-folder.js'

const uuid = () => crypto.randomUUID()
const opened = (baseDir: string, options = {}) => {
  const events: IvcapEvent[] = []
  const backend = localBackend({ baseDir, onEvent: (event) => events.push(event), ...options })
  const leftOut = () => events.flatMap((e) => (e.kind === 'left-out' ? [e.resource] : []))
  return { backend, leftOut }
}

describe('lists of artifacts', () => {
  it('leave out a subfolder that may not be read, and tell it once', async () => {
    const dir = await tempFolder()
    await mkdir(join(dir, 'lost+found'))
    await writeFile(join(dir, 'a.txt'), 'x')
    const reading = (path: string) => {
      if (path.endsWith('lost+found')) throw errno('EACCES')
    }
    const { backend, leftOut } = opened(dir, { fs: watched(hostFs, { change: () => {}, reading }) })
    expect(await artifactNames(backend)).toEqual(['a.txt'])
    expect(await artifactNames(backend)).toEqual(['a.txt'])
    expect(leftOut()).toEqual([join(dir, 'lost+found')])
  })

  it('say nothing of a file that is removed while they look', async () => {
    const dir = await tempFolder()
    for (const name of ['a.txt', 'b.txt']) await writeFile(join(dir, name), 'x')
    const reading = (path: string) => {
      if (path.endsWith('a.txt')) throw errno('ENOENT')
    }
    const { backend, leftOut } = opened(dir, { fs: watched(hostFs, { change: () => {}, reading }) })
    expect(await artifactNames(backend)).toEqual(['b.txt'])
    expect(leftOut()).toEqual([])
  })

  it('fail where the folder itself may not be read', async () => {
    const dir = await tempFolder()
    const reading = (path: string) => {
      if (path === dir) throw errno('EACCES')
    }
    const { backend } = opened(dir, { fs: watched(hostFs, { change: () => {}, reading }) })
    await expect(allArtifacts(backend)).rejects.toMatchObject({ code: 'permission-denied' })
  })

  it('tell names that are not UTF-8, also beside a name that looks the same', async () => {
    const dir = await tempFolder()
    const latin1 = Buffer.concat([Buffer.from(`${dir}/gr`), Buffer.from([0xdf]), Buffer.from('.csv')])
    await writeFile(latin1, 'x')
    await writeFile(join(dir, 'gr\ufffd.csv'), 'y')
    const { backend, leftOut } = opened(dir)
    expect(await artifactNames(backend)).toEqual(['gr\ufffd.csv'])
    expect(leftOut()).toEqual([join(dir, 'gr%DF.csv')])
  })

  it('tell FIFOs and links out of the folder, to the listener of the call, too', async () => {
    const dir = await tempFolder()
    execFileSync('mkfifo', [join(dir, 'pipe')])
    await symlink('/etc', join(dir, 'etc'))
    await symlink(dir, join(dir, 'loop'))
    const { backend, leftOut } = opened(dir)
    const told: string[] = []
    const onEvent = (event: IvcapEvent) => told.push(event.resource ?? '')
    expect((await backend.artifacts.list({ limit: 9, orderDesc: true }, { onEvent })).items).toEqual([])
    expect(leftOut().sort()).toEqual([join(dir, 'etc'), join(dir, 'loop'), join(dir, 'pipe')])
    expect(told.sort()).toEqual(leftOut().sort())
  })

  it('look at each file twice at most, however many pages there are', async () => {
    const dir = await tempFolder()
    const count = 200
    for (let i = 0; i < count; i++) await writeFile(join(dir, `${i}.txt`), 'x')
    let looks = 0
    const reading = (path: string) => {
      if (path.endsWith('.txt')) looks++
    }
    const { backend } = opened(dir, { fs: watched(hostFs, { change: () => {}, reading }) })
    expect(await allArtifacts(backend, { limit: 5 })).toHaveLength(count)
    expect(looks).toBe(2 * count)
  })

  it('go on from a cursor of another process', async () => {
    const dir = await tempFolder()
    for (let i = 0; i < 7; i++) await writeFile(join(dir, `${i}.txt`), 'x')
    const seen: (string | undefined)[] = []
    let cursor: string | undefined
    do {
      const { artifacts } = localBackend({ baseDir: dir })
      const page = await artifacts.list({ limit: 2, orderDesc: true, ...(cursor && { cursor }) }, {})
      seen.push(...page.items.map(({ name }) => name))
      cursor = page.cursor
    } while (cursor !== undefined)
    expect(seen.sort()).toEqual(Array.from({ length: 7 }, (_, i) => `${i}.txt`))
  })
})

describe('the id of a removed artifact with % in its name', () => {
  const blank = async (dir: string) => {
    await writeFile(join(dir, 'a b.txt'), 'blank')
    await writeFile(join(dir, 'a%20b.txt'), 'percent')
  }
  it('does not mean another one once it was listed', async () => {
    const dir = await tempFolder()
    await blank(dir)
    const backend = localBackend({ baseDir: dir })
    await allArtifacts(backend)
    await rm(join(dir, 'a%20b.txt'))
    await expect(backend.artifacts.stat(`urn:file://${dir}/a%20b.txt`, {})).rejects.toMatchObject({
      code: 'not-found',
    })
  })
  it('does not mean another one for a later process, where it was stored by us', async () => {
    const dir = await tempFolder()
    await blank(dir)
    const stored = await localBackend({ baseDir: dir }).artifacts.create(text('x'), named('a%20b.txt'), plain)
    await rm(join(dir, 'a%20b.txt'))
    const later = localBackend({ baseDir: dir })
    await expect(later.artifacts.stat(stored.id, {})).rejects.toMatchObject({ code: 'not-found' })
  })
  it('is not decoded where no URL is written so', async () => {
    const dir = await tempFolder()
    await writeFile(join(dir, 'a b c'), 'x')
    const { artifacts } = localBackend({ baseDir: dir })
    await expect(artifacts.stat(`urn:file://${dir}/a%20b c`, {})).rejects.toMatchObject({ code: 'not-found' })
    expect(await artifacts.stat(`urn:file://${dir}/a%20b%20c`, {})).toMatchObject({ name: 'a b c' })
  })
})

describe('what is no record', () => {
  const inPlaceOf: Record<string, (path: string) => Promise<void>> = {
    'a FIFO': async (path) => void execFileSync('mkfifo', [path]),
    'a device': (path) => symlink('/dev/zero', path),
    'a folder': async (path) => void (await mkdir(path)),
    'a link to a folder': (path) => symlink('/etc', path),
    'a link to nothing': (path) => symlink('/nothing', path),
    'a link to itself': (path) => symlink(path, path),
    'a file of 600 MB': async (path) => {
      await writeFile(path, '')
      await truncate(path, 600_000_000)
    },
    'UTF-16': (path) => writeFile(path, Buffer.from('\ufeff{}', 'utf16le')),
    'Latin-1': (path) => writeFile(path, Buffer.from('{"a":"gr\u00fcn"}', 'latin1')),
  }

  it.each(Object.keys(inPlaceOf))('%s is left out of lists and told', async (what) => {
    const dir = await tempFolder()
    await putAspect(dir, { entity, schema: tag, content: { v: 1 } })
    const path = join(dir, 'aspects', `${uuid()}.json`)
    await inPlaceOf[what]?.(path)
    const { backend, leftOut } = opened(dir)
    expect(await allAspects(backend)).toHaveLength(1)
    await backend.aspects.assert(draft(entity, tag, { v: 2 }), 'replace', {})
    await backend.artifacts.create(text('x'), named('a.txt'), plain)
    expect(await allAspects(backend, { schema: tag })).toMatchObject([{ content: { v: 2 } }])
    expect(leftOut()).toEqual([path])
    expect(await backend.verify?.({})).toMatchObject([{ resource: path, repairable: false }])
  })

  it.each(Object.keys(inPlaceOf))('%s in place of a file in .ivcap is ignored', async (what) => {
    const dir = await tempFolder()
    const id = await putAspect(dir, { entity, schema: tag, content: { v: 1 } })
    const own = join(dir, '.ivcap')
    for (const sub of ['closed', 'locks', 'staging']) await mkdir(join(own, sub), { recursive: true })
    const lock = `${'0'.repeat(32)}.x-1-1.${uuid()}`
    for (const name of [
      `closed/${id.slice(-36)}`,
      'facts.jsonl',
      'contents.jsonl',
      'bases',
      `locks/${lock}`,
      'staging/x',
    ])
      await inPlaceOf[what]?.(join(own, name))
    const { backend, leftOut } = opened(dir)
    expect(await allAspects(backend)).toHaveLength(1)
    if (what !== 'a link to nothing') expect(leftOut()).toContain(join(own, 'bases'))
    await backend.aspects.assert(draft(entity, tag, { v: 2 }), 'replace', {})
    await backend.aspects.assertMany?.(
      Array.from({ length: 300 }, (_, i) => draft('urn:example:many', tag, { i })),
      {},
    )
    expect(await allAspects(backend, { entity })).toMatchObject([{ content: { v: 2 } }])
    const [current] = await allAspects(opened(dir).backend, { entity })
    await backend.aspects.retract(current?.id ?? entity, {})
    expect(await allAspects(opened(dir).backend, { entity })).toEqual([])
  })
})

describe('times that no list can hold', () => {
  it.each(['9999-12-31T23:59:59-14:00', '0000-01-01T00:00:00+14:00', 'soon'])('%s', async (valid_from) => {
    const dir = await tempFolder()
    const bad = await putAspect(dir, { entity, schema: tag, content: {}, valid_from })
    const good = await putAspect(dir, { entity, schema: tag, content: {}, valid_from: '2024-01-01' })
    const { backend, leftOut } = opened(dir)
    expect((await allAspects(backend, { limit: 1 })).map(({ id }) => id)).toEqual([good])
    expect(leftOut()).toEqual([join(dir, 'aspects', `${bad.slice(-36)}.json`)])
  })
  it('the last and the first of all are listed, and replaced', async () => {
    const dir = await tempFolder()
    for (const valid_from of ['9999-12-31T23:59:59.999999Z', '0000-01-01T00:00:00Z'])
      await putAspect(dir, { entity, schema: tag, content: {}, valid_from })
    const { backend, leftOut } = opened(dir)
    expect(await allAspects(backend, { limit: 1 })).toHaveLength(2)
    const made = await backend.aspects.assert(draft(entity, tag), 'replace', {})
    expect((await allAspects(opened(dir).backend)).map(({ id }) => id)).toEqual([made.id])
    expect(leftOut()).toEqual([])
  })
})

it('a record with a byte order mark is one, and keeps it when it is closed', async () => {
  const dir = await tempFolder()
  const id = await putAspect(dir, { entity, schema: tag, content: { v: 1 } })
  const path = join(dir, 'aspects', `${id.slice(-36)}.json`)
  const before = `\ufeff${await readFile(path, 'utf8')}`
  await writeFile(path, before)
  const { backend } = opened(dir)
  expect(await allAspects(backend)).toHaveLength(1)
  const made = await backend.aspects.assert(draft(entity, tag), 'replace', {})
  expect(await readFile(path, 'utf8')).toBe(
    before.replace('"valid_to": null', `"valid_to": "${made.validFrom}"`),
  )
})

it.each(['aspects', '.ivcap', '.ivcap/staging'])(
  '%s removed by others is made anew, for adds and updates',
  async (name) => {
    const dir = await tempFolder()
    const { backend } = opened(dir)
    await backend.aspects.assert(draft(entity, tag, { v: 1 }), 'replace', {})
    for (const mode of ['add', 'replace'] as const) {
      await rm(join(dir, name), { recursive: true, force: true })
      const { id } = await backend.aspects.assert(draft(`urn:example:${mode}`, tag), mode, {})
      expect(await backend.aspects.get(id, {})).toMatchObject({ id })
    }
  },
)
