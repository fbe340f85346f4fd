import { existsSync } from 'node:fs'
import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { segmentsOf } from '../src/artifacts/names.js'
import { localBackend } from '../src/index.js'
import { readText, text } from './bytes.js'
import { artifactNames, named, plain } from './local.js'
import { tempFolder } from './temp-folder.js'

const BAD = [
  '',
  '/etc/passwd',
  'C:/x',
  '..',
  '../x',
  'a/../../x',
  'a/..',
  '.',
  './x',
  'a/./x',
  'a//x',
  'a/',
  'a\\x',
  'a\0x',
  'a\nx',
  'a\u007fx',
  'aspects/x',
  'aspects',
  'Aspects/x.json',
  '.ivcap/staging/x',
  '.IVCAP/x',
  '.hidden',
  'a/.hidden/x',
  'NUL',
  'con.txt',
  'a/Lpt1.csv',
  'x'.repeat(256),
  'é'.repeat(128),
  '\ud800',
] as const

describe('names', () => {
  // known failure: name-traversal
  it.each(BAD)('%.30j is refused before anything is read or written', async (name) => {
    const dir = join(await tempFolder(), 'base')
    const backend = localBackend({ baseDir: dir })
    let opened = false
    const source = {
      ...text('x'),
      open: () => {
        opened = true
        return text('x').open()
      },
    }
    await expect(backend.artifacts.create(source, named(name), plain)).rejects.toMatchObject({
      code: 'invalid-argument',
      argument: 'name',
    })
    expect(opened).toBe(false)
    expect(existsSync(dir)).toBe(false)
  })

  it.each([
    'a b.txt',
    'ünï/cödé.txt',
    'x'.repeat(255),
    'é'.repeat(127),
    'a:b?.txt',
    'a%20b',
    '日本/語.nc',
    '-',
    '~x',
    'console.log',
    'my aspects/x',
  ])('%.30j is kept', async (name) => {
    const backend = localBackend({ baseDir: await tempFolder() })
    const made = await backend.artifacts.create(text(name), named(name), plain)
    expect(await artifactNames(backend)).toEqual([name])
    const { body, record } = await backend.artifacts.read(made.id, {})
    expect(record).toEqual(made)
    expect(await readText(body)).toBe(name)
  })

  // known failure: name-traversal
  it('never lead out of the folder, whatever they are made of', () => {
    const part = fc.oneof(
      fc.constantFrom('..', '.', '', 'aspects', '.ivcap', 'a'),
      fc.string({ unit: 'binary', maxLength: 5 }),
    )
    const name = fc.array(part, { maxLength: 4 }).map((parts) => parts.join('/'))
    fc.assert(
      fc.property(name, (n) => {
        let segments: readonly string[]
        try {
          segments = segmentsOf(n, 'flat')
        } catch {
          return
        }
        const path = join('/base', ...segments)
        expect(path).toBe(`/base/${n}`)
        expect(path).not.toMatch(/^\/base\/(aspects|\.)/i)
      }),
      { numRuns: 2000 },
    )
  })

  // known failure: name-traversal
  it('may not follow symbolic links out of the folder, or to where artifacts can’t be', async () => {
    const outside = await tempFolder()
    const dir = await tempFolder()
    await writeFile(join(outside, 'secret'), 'not yours')
    await mkdir(join(dir, 'aspects'))
    await mkdir(join(dir, 'inside'))
    await symlink(outside, join(dir, 'out'))
    await symlink(join(outside, 'secret'), join(dir, 'secret'))
    await symlink(join(dir, 'aspects'), join(dir, 'sly'))
    await symlink(join(dir, 'inside'), join(dir, 'alias'))
    const backend = localBackend({ baseDir: dir })
    for (const name of ['out/x', 'secret', 'sly/x', 'out/deeper/x']) {
      await expect(backend.artifacts.create(text('x'), named(name), plain)).rejects.toMatchObject({
        code: 'invalid-argument',
        argument: 'name',
      })
    }
    expect(await readdir(outside)).toEqual(['secret'])
    for (const path of ['out/secret', 'secret', 'aspects/x', '../x', 'inside']) {
      await expect(backend.artifacts.stat(`urn:file://${dir}/${path}`, {})).rejects.toMatchObject({
        code: 'not-found',
      })
    }
    const made = await backend.artifacts.create(text('x'), named('alias/x'), plain)
    expect(made).toMatchObject({ id: `urn:file://${dir}/inside/x`, name: 'inside/x' })
    expect(await artifactNames(backend)).toEqual(['inside/x'])
  })

  it('are not taken where a folder, or a file as a folder, is in the way', async () => {
    const backend = localBackend({ baseDir: await tempFolder() })
    await backend.artifacts.create(text('x'), named('a/b'), plain)
    for (const name of ['a', 'a/b/c', `${'long/'.repeat(1000)}x`]) {
      await expect(backend.artifacts.create(text('y'), named(name), plain)).rejects.toMatchObject({
        code: 'invalid-argument',
        argument: 'name',
      })
    }
    expect(await artifactNames(backend)).toEqual(['a/b'])
  })
})

describe('ids', () => {
  it('are owned when the file is, or would be, in the folder', async () => {
    const real = await tempFolder()
    const links = await tempFolder()
    await symlink(real, join(links, 'base'))
    await writeFile(join(real, 'a b'), 'x')
    await symlink('/etc/hostname', join(real, 'out'))
    const { artifacts } = localBackend({ baseDir: join(links, 'base') })
    const contains = (path: string) => artifacts.contains?.(`urn:file://${path}`)
    expect(contains(`${real}/a b`)).toBe(true)
    expect(contains(`${real}/a%20b`)).toBe(true)
    expect(contains(`${links}/base/a b`)).toBe(true)
    expect(contains(`${links}/base/absent/x`)).toBe(true)
    expect(contains(`${real}/../x`)).toBe(false)
    expect(contains(`${real}`)).toBe(false)
    expect(contains(`${real}x/y`)).toBe(false)
    expect(contains('/etc/hostname')).toBe(false)
    expect(artifacts.contains?.('urn:ivcap:artifact:4d5c5d0e-0b8f-4b7e-9d0e-5f7b8c1f4f5e')).toBe(false)
    expect(await artifacts.stat(`urn:file://${links}/base/a%20b`, {})).toMatchObject({
      id: `urn:file://${real}/a b`,
    })
  })
})
