import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { contentSource, timestamp } from '@ivcap/core/driver'
import { fileSource } from '@ivcap/core/internal'
import { memfs } from 'memfs'
import { describe, expect, it } from 'vitest'
import { localBackend } from '../src/index.js'
import { noise, read, readText, streamOf, text } from './bytes.js'
import { allArtifacts, allAspects, artifactNames, draft, named, plain } from './local.js'
import { tempFolder } from './temp-folder.js'

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

describe('an upload', () => {
  it('is dated by the clock, to the microsecond', async () => {
    let now = 1_795_437_226_392_000
    const backend = localBackend({ baseDir: await tempFolder(), clock: () => now })
    for (; now < 1_795_437_226_392_040; now++) {
      const made = await backend.artifacts.create(contentSource('x'), named('a.txt'), plain)
      expect(made.createdAt).toBe(timestamp(now))
    }
  })

  it.each([0, 1, 262_144, 1_048_576, 3_000_001])(
    'of %i bytes, by stream and by file, comes back as it was',
    async (size) => {
      const dir = await tempFolder()
      const bytes = noise(size)
      const from = join(await tempFolder(), 'source.nc')
      await writeFile(from, bytes)
      const backend = localBackend({ baseDir: join(dir, 'base'), digest: true })
      for (const source of [
        streamOf(bytes, 65_537),
        streamOf(bytes, 65_537, size),
        await fileSource(from, 'filePath'),
      ]) {
        const seen: (number | undefined)[] = []
        const onProgress = (n: number, total?: number) => seen.push(n === total ? total : n)
        const made = await backend.artifacts.create(
          source,
          { mimeType: 'application/x-netcdf' },
          { ...plain, onProgress },
        )
        expect(made).toMatchObject({
          size,
          sha256: sha256(bytes),
          mimeType: 'application/x-netcdf',
          status: 'ready',
        })
        expect(seen.at(-1)).toBe(size)
        expect(made.name).toMatch(source.native ? /^[0-9a-f-]{36}\.nc$/ : /^[0-9a-f-]{36}$/)
        const { body, record } = await backend.artifacts.read(made.id, {})
        expect(record).toEqual(made)
        expect(await backend.artifacts.stat(made.id, {})).toEqual(made)
        expect(sha256(await read(body))).toBe(made.sha256)
        expect(await backend.artifacts.localPath?.(made.id)).toBe(`${dir}/base/${made.name}`)
        const again = localBackend({ baseDir: join(dir, 'base') })
        expect(await again.artifacts.stat(made.id, {})).toEqual(made)
      }
    },
  )

  it('leaves the digest of a copied file out unless asked for it', async () => {
    const from = join(await tempFolder(), 'x.csv')
    await writeFile(from, 'a,b')
    const backend = localBackend({ baseDir: await tempFolder() })
    const made = await backend.artifacts.create(
      await fileSource(from, 'filePath'),
      named('x.csv', 'text/csv'),
      plain,
    )
    expect(made.sha256).toBeUndefined()
    expect(await readFile(from, 'utf8')).toBe('a,b')
  })

  it('of a name that is there replaces it, record and all', async () => {
    const backend = localBackend({ baseDir: await tempFolder() })
    const policy = 'urn:ivcap:policy:ivcap.open.artifact'
    const first = await backend.artifacts.create(text('one'), { ...named('x'), policy }, plain)
    const second = await backend.artifacts.create(text('two'), named('x', 'text/csv'), plain)
    expect(second).toMatchObject({ id: first.id, mimeType: 'text/csv' })
    expect(second.policy).toBeUndefined()
    expect(second.etag).not.toBe(first.etag)
    expect(await allArtifacts(backend)).toEqual([second])
    expect(await allAspects(backend, { entity: first.id })).toHaveLength(1)
    await expect(backend.artifacts.read(first.id, { ifMatch: first.etag ?? '' })).rejects.toMatchObject({
      code: 'precondition-failed',
    })
  })

  it('by many at once of one name leaves one of them, with its own record', async () => {
    const dir = await tempFolder()
    const backends = [localBackend({ baseDir: dir }), localBackend({ baseDir: dir })]
    const made = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        backends[i % 2]?.artifacts.create(text(`content ${i}`), named('x', `text/x${i}`), plain),
      ),
    )
    for (const backend of backends) {
      const [only, ...others] = await allArtifacts(backend)
      expect(others).toEqual([])
      const winner = made.findIndex((m) => m?.mimeType === only?.mimeType)
      expect(only).toEqual(made[winner])
      expect(await readFile(join(dir, 'x'), 'utf8')).toBe(`content ${winner}`)
      expect(await allAspects(backend)).toHaveLength(1)
    }
  })

  it('that fails or is aborted leaves nothing, or what was there', async () => {
    const dir = await tempFolder()
    const backend = localBackend({ baseDir: dir })
    const kept = await backend.artifacts.create(text('kept'), named('kept'), plain)
    for (const name of ['kept', 'new']) {
      async function* broken() {
        yield noise(2_000_000)
        throw new Error('the sensor went away')
      }
      await expect(backend.artifacts.create(contentSource(broken()), named(name), plain)).rejects.toThrow()
      const stop = new AbortController()
      const reason = new Error('enough')
      const told: number[] = []
      async function* endless() {
        for (let i = 0; ; i++) {
          yield noise(600_000)
          if (i === 4) stop.abort(reason)
        }
      }
      const o = { ...plain, signal: stop.signal, onProgress: (n: number) => told.push(n) }
      await expect(backend.artifacts.create(contentSource(endless()), named(name), o)).rejects.toBe(reason)
      const toldThen = told.length
      expect(await artifactNames(backend)).toEqual(['kept'])
      expect(told).toHaveLength(toldThen)
    }
    expect(await backend.artifacts.stat(kept.id, {})).toEqual(kept)
    expect(await readdir(join(dir, '.ivcap', 'staging'))).toEqual([])
  })

  it('of a file stops on an abort, and removes the copy', async () => {
    const dir = await tempFolder()
    const from = join(await tempFolder(), 'big')
    await writeFile(from, noise(8_000_000))
    const backend = localBackend({ baseDir: dir, digest: true })
    const stop = new AbortController()
    const source = await fileSource(from, 'filePath')
    const seen: number[] = []
    const onProgress = (written: number) => {
      seen.push(written)
      if (written > 0) stop.abort('no more')
    }
    const o = { ...plain, signal: stop.signal, onProgress }
    const creating = backend.artifacts.create(source, named('big'), o)
    await expect(creating).rejects.toBe('no more')
    expect(seen.at(-1)).toBeLessThan(8_000_000)
    expect(await artifactNames(backend)).toEqual([])
    expect(await readdir(join(dir, '.ivcap', 'staging'))).toEqual([])
  })

  it('of a file that changes meanwhile is an error', async () => {
    const from = join(await tempFolder(), 'x')
    await writeFile(from, 'before')
    const backend = localBackend({ baseDir: await tempFolder() })
    const source = await fileSource(from, 'filePath')
    await writeFile(from, 'after, and longer')
    await expect(backend.artifacts.create(source, named('x'), plain)).rejects.toMatchObject({
      code: 'integrity',
    })
    expect(await artifactNames(backend)).toEqual([])
  })

  it('into a collection adds its item once', async () => {
    const backend = localBackend({ baseDir: await tempFolder() })
    const collection = 'urn:ivcap:collection:4d5c5d0e-0b8f-4b7e-9d0e-5f7b8c1f4f5e'
    for (const content of ['one', 'two']) {
      await backend.artifacts.create(text(content), { ...named('x'), collection }, plain)
    }
    const made = await backend.artifacts.create(text('y'), { ...named('y'), collection }, plain)
    const items = await allAspects(backend, { entity: collection })
    expect(items.map((i) => i.content?.['item'])).toEqual([made.id, made.id.replace(/y$/, 'x')])
  })
})

describe('a folder that others use', () => {
  it('shows their files, with what the files tell', async () => {
    const dir = await tempFolder()
    const backend = localBackend({ baseDir: dir })
    await mkdir(join(dir, 'artifacts/deep'), { recursive: true })
    await mkdir(join(dir, '.git'))
    await mkdir(join(dir, 'aspects'))
    await writeFile(join(dir, 'artifacts/deep/sea.nc'), 'netcdf')
    await writeFile(join(dir, 'table.csv'), 'a,b')
    await writeFile(join(dir, '.git/config'), 'x')
    await writeFile(join(dir, '.hidden'), 'x')
    await writeFile(join(dir, 'aspects/notes.txt'), 'x')
    await symlink(join(dir, 'table.csv'), join(dir, 'alias.csv'))
    expect(await artifactNames(backend)).toEqual(['artifacts/deep/sea.nc', 'table.csv'])
    expect(await backend.artifacts.stat(`urn:file://${dir}/artifacts/deep/sea.nc`, {})).toMatchObject({
      name: 'artifacts/deep/sea.nc',
      size: 6,
      mimeType: 'application/x-netcdf',
      status: 'ready',
    })
  })

  it('forgets what it recorded of a file once another program has written it', async () => {
    const dir = await tempFolder()
    const backend = localBackend({ baseDir: dir })
    const made = await backend.artifacts.create(text('a,b'), named('x.csv', 'text/special'), plain)
    await writeFile(join(dir, 'x.csv'), 'b,a')
    const now = await backend.artifacts.stat(made.id, {})
    expect(now).toMatchObject({ size: 3, mimeType: 'text/csv' })
    expect(now.sha256).toBeUndefined()
    expect(now.etag).not.toBe(made.etag)
    await rm(join(dir, 'x.csv'))
    await expect(backend.artifacts.stat(made.id, {})).rejects.toMatchObject({ code: 'not-found' })
    expect(await artifactNames(backend)).toEqual([])
  })

  it.each(['same size', 'shorter'])('notices a change while it is read: %s', async (how) => {
    const dir = await tempFolder()
    const backend = localBackend({ baseDir: dir })
    const bytes = noise(9_000_000)
    const made = await backend.artifacts.create(streamOf(bytes, 1_000_000), named('x'), plain)
    const { body } = await backend.artifacts.read(made.id, {})
    const reader = body.getReader()
    await reader.read()
    await writeFile(join(dir, 'x'), how === 'shorter' ? 'x' : noise(9_000_000))
    const rest = async () => {
      while (!(await reader.read()).done);
    }
    await expect(rest()).rejects.toMatchObject({ code: 'integrity' })
  })
})

describe('listing', () => {
  it('goes on where it was while files come, go and are replaced', async () => {
    const dir = await tempFolder()
    const backend = localBackend({ baseDir: dir })
    for (let i = 0; i < 7; i++) await backend.artifacts.create(text(`${i}`), named(`f${i}`), plain)
    const q = { limit: 3, orderDesc: true }
    const first = await backend.artifacts.list(q, {})
    await backend.artifacts.create(text('new'), named('g'), plain)
    await backend.artifacts.create(text('replaced'), named('f1'), plain)
    await backend.artifacts.create(text('replaced'), named('f6'), plain)
    const second = await backend.artifacts.list({ ...q, cursor: first.cursor ?? '' }, {})
    const third = await backend.artifacts.list({ ...q, cursor: second.cursor ?? '' }, {})
    const names = [...first.items, ...second.items, ...third.items].map((a) => a.name)
    expect(names).toEqual(['f6', 'f5', 'f4', 'f3', 'f2', 'f1', 'f0'])
    expect(third.cursor).toBeUndefined()
  })

  it('takes an order, and refuses what it can’t do', async () => {
    const backend = localBackend({ baseDir: await tempFolder() })
    for (const [name, mime] of [
      ['a', 'x/3'],
      ['b', 'x/1'],
      ['c', 'x/2'],
    ] as const) {
      await backend.artifacts.create(text(name), named(name, mime), plain)
    }
    const by = async (orderBy: string, orderDesc = false) =>
      (await allArtifacts(backend, { orderBy, orderDesc, limit: 2 })).map((a) => a.name).join('')
    expect(await by('mime-type')).toBe('bca')
    expect(await by('size,name', true)).toBe('cba')
    expect(await by('created-at')).toBe('abc')
    await expect(by('colour')).rejects.toMatchObject({ code: 'invalid-argument', argument: 'orderBy' })
  })

  it('tells what was there at a time', async () => {
    const backend = localBackend({ baseDir: await tempFolder() })
    const a = await backend.artifacts.create(text('a'), named('a'), plain)
    const b = await backend.artifacts.create(text('b'), named('b'), plain)
    const then = async (atTime: string | undefined) =>
      (await allArtifacts(backend, { atTime: atTime ?? '' })).map((x) => x.name)
    expect(await then(a.createdAt)).toEqual(['a'])
    expect(await then(b.createdAt)).toEqual(['b', 'a'])
    expect(await then('2020-01-01T00:00:00.000000Z')).toEqual([])
  })
})

it('works on a file system that is given to it, touching no other', async () => {
  const { fs } = memfs()
  const backend = localBackend({ baseDir: '/data', fs: fs.promises })
  const made = await backend.artifacts.create(text('x'), named('a/x.txt'), plain)
  await backend.aspects.assert(draft(made.id, 'urn:example:schema:s.1'), 'replace', {})
  expect(made.id).toBe('urn:file:///data/a/x.txt')
  expect(await readText((await backend.artifacts.read(made.id, {})).body)).toBe('x')
  expect(backend.artifacts.localPath).toBeUndefined()
  expect(existsSync('/data/a')).toBe(false)
})

it('makes nothing in an absent folder until something is stored, and says when it is a file', async () => {
  const dir = await tempFolder()
  const absent = localBackend({ baseDir: join(dir, 'absent') })
  expect(await allArtifacts(absent)).toEqual([])
  expect(await allAspects(absent)).toEqual([])
  await expect(absent.artifacts.stat(`urn:file://${dir}/absent/x`, {})).rejects.toMatchObject({
    code: 'not-found',
  })
  expect(existsSync(join(dir, 'absent'))).toBe(false)
  await writeFile(join(dir, 'file'), 'x')
  const file = localBackend({ baseDir: join(dir, 'file') })
  const wrong = { code: 'invalid-argument', argument: 'baseDir' }
  await expect(file.artifacts.create(text('x'), named('x'), plain)).rejects.toMatchObject(wrong)
  await expect(allArtifacts(file)).rejects.toMatchObject(wrong)
  await expect(file.artifacts.stat(`urn:file://${dir}/file/x`, {})).rejects.toMatchObject(wrong)
  await expect(file.aspects.assert(draft('urn:a:b', 'urn:a:c'), 'add', {})).rejects.toMatchObject(wrong)
  await expect(allAspects(file)).rejects.toMatchObject(wrong)
})
