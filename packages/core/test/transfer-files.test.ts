import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readlinkSync } from 'node:fs'
import {
  appendFile,
  chmod,
  mkdir,
  mkdtemp,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, extname, join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import * as node from '../src/files/node.js'
import * as none from '../src/files/none.js'
import type { Files } from '../src/files/types.js'
import { fileUrn } from '../src/model/urn.js'
import { contentSource } from '../src/transfer/source.js'
import { md5, patterned, read, sha256 } from './support/bytes.js'

const { fileSource, saveAs, tempFile, samePath } = node
let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ivcap-test-'))
})
afterEach(() => rm(folder, { recursive: true }))

const at = (...names: string[]) => join(folder, ...names)

describe('the two sides of #files', () => {
  const sides: readonly Files[] = [node, none]

  it('offer the same', () => {
    expect(Object.keys(none).sort()).toEqual(Object.keys(node).sort())
  })

  it('hash alike', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 })), (chunks) => {
        for (const { createSha256, createMd5 } of sides) {
          const [sha, five] = [createSha256(), createMd5()]
          for (const chunk of chunks) {
            sha.update(chunk)
            five.update(chunk)
          }
          expect(sha.digest()).toBe(sha256(Buffer.concat(chunks)))
          expect(five.digest()).toBe(md5(Buffer.concat(chunks)))
        }
      }),
    )
  })

  it('tell alike whether a web stream was read from', async () => {
    for (const { isDisturbed } of sides) {
      const stream = new Blob(['x']).stream()
      expect(isDisturbed(stream)).toBe(false)
      await stream.cancel()
      expect(isDisturbed(stream)).toBe(true)
      expect(isDisturbed({})).toBe(false)
    }
  })

  it('say without files what to use instead', async () => {
    const files: Files = none
    const body = new Blob(['x']).stream()
    await expect(files.fileSource('a.txt', 'filePath')).rejects.toMatchObject({
      code: 'unsupported',
      argument: 'filePath',
    })
    await expect(files.saveAs('a.txt', body, {})).rejects.toThrow(/use blob\(\) or asStream\(\)/)
    await expect(files.tempFile('a.txt', body, {})).rejects.toMatchObject({ code: 'unsupported' })
    expect(files.mountedFiles).toBeUndefined()
    const memory = files.uploadMemory({})
    await memory.remember('a.txt', 'urn:ivcap:artifact:x')
    expect(await memory.recall('a.txt')).toBeUndefined()
  })
})

describe('a file as a source', () => {
  it('gives any slice of it', async () => {
    const bytes = patterned((2 << 20) + 9)
    await writeFile(at('data.bin'), bytes)
    const source = await fileSource(at('data.bin'), 'filePath')
    expect(source).toMatchObject({
      size: bytes.length,
      replayable: true,
      native: { kind: 'file', path: at('data.bin') },
    })
    const place = fc.nat(bytes.length + 10)
    await fc.assert(
      fc.asyncProperty(place, place, async (offset, end) => {
        const got = await read(source.open({ offset, end }))
        expect(Buffer.compare(got, bytes.subarray(offset, Math.max(offset, end)))).toBe(0)
      }),
      { numRuns: 30 },
    )
    expect(await source.unchanged?.()).toBe(true)
  })

  it('is empty for an empty file', async () => {
    await writeFile(at('empty'), '')
    const source = await fileSource(at('empty'), 'filePath')
    expect(source.size).toBe(0)
    expect(await read(source.open())).toHaveLength(0)
  })

  it('keeps its file when the working folder changes', async () => {
    await writeFile(at('here.txt'), 'here')
    const before = process.cwd()
    process.chdir(folder)
    try {
      const source = await fileSource('here.txt', 'filePath')
      process.chdir(before)
      expect(await read(source.open())).toHaveLength(4)
    } finally {
      process.chdir(before)
    }
  })

  it.each([
    ['a missing file', 'missing.txt', /no such file/],
    ['a folder', '.', /it is a folder/],
    ['a path through a file', 'plain/x', /is a file, not a folder/],
    ['a circle of links', 'circle', /go round in a circle/],
    ['a name that is too long', 'x'.repeat(300), /too long/],
    ['a NUL', 'a\0b', /not a path/],
  ])('refuses %s, naming argument, path and remedy', async (_, name, why) => {
    await writeFile(at('plain'), '')
    await symlink('circle', at('circle'))
    const failing = fileSource(`${folder}/${name}`, 'filePath')
    await expect(failing).rejects.toMatchObject({ code: 'invalid-argument', argument: 'filePath' })
    await expect(failing).rejects.toThrow(why)
    await expect(failing).rejects.toThrow(/filePath ".* can't be read/s)
  })

  it('refuses an empty path', async () => {
    await expect(fileSource('', 'filePath')).rejects.toThrow(/not a path/)
  })

  const changes: readonly (readonly [string, (path: string) => Promise<void>])[] = [
    ['grew', (path) => appendFile(path, 'more')],
    ['shrank', (path) => truncate(path, 3 << 20)],
    ['was written over', (path) => utimes(path, 1, 1)],
    ['was removed', (path) => rm(path)],
    [
      'was replaced',
      async (path) => {
        await writeFile(`${path}.new`, new Uint8Array((await stat(path)).size))
        await utimes(`${path}.new`, 1000, 1000)
        await rename(`${path}.new`, path)
      },
    ],
  ]
  it.each(changes)('fails with integrity when the file %s', async (_, change) => {
    const path = at('data.bin')
    await writeFile(path, patterned(4 << 20))
    // a time that can be set again to the nanosecond
    await utimes(path, 1000, 1000)

    const early = await fileSource(path, 'filePath')
    const midway = await fileSource(path, 'filePath')
    const reader = midway.open().getReader()
    await reader.read()
    await change(path)
    await expect(read(early.open())).rejects.toMatchObject({ code: 'integrity' })
    expect(await early.unchanged?.()).toBe(false)
    const rest = async () => {
      for (let next = await reader.read(); !next.done; next = await reader.read());
    }
    await expect(rest()).rejects.toMatchObject({
      code: 'integrity',
      message: expect.stringContaining('changed'),
    })
  })

  it('aborts with the reason of the caller, and keeps no file open', async () => {
    await writeFile(at('data.bin'), patterned(4 << 20))
    const controller = new AbortController()
    const source = await fileSource(at('data.bin'), 'filePath')
    const reader = source.open({ signal: controller.signal }).getReader()
    await reader.read()
    expect(openFiles()).toContain(at('data.bin'))
    controller.abort('enough')
    await expect(reader.read()).rejects.toBe('enough')
    expect(openFiles()).not.toContain(at('data.bin'))
  })
})

describe('a pipe or a device as a source', () => {
  it('is read once, as it comes', async () => {
    const path = fifo()
    const source = await fileSource(path, 'filePath')
    expect(source).toMatchObject({ replayable: false })
    expect(source.size).toBeUndefined()
    const bytes = patterned(300_000)
    const [got] = await Promise.all([read(source.open()), writeFile(path, bytes)])
    expect(Buffer.compare(got, bytes)).toBe(0)
    expect(() => source.open()).toThrow(/second time/)
  })

  it('can be given up on while nobody writes', async () => {
    const path = fifo()
    const controller = new AbortController()
    const waiting = (await fileSource(path, 'filePath'))
      .open({ signal: controller.signal })
      .getReader()
      .read()
    setImmediate(() => controller.abort('enough'))
    await expect(waiting).rejects.toBe('enough')

    const reader = (await fileSource(path, 'filePath')).open().getReader()
    const pending = reader.read()
    await reader.cancel()
    expect(await pending).toMatchObject({ done: true })
    await new Promise(setImmediate)
    expect(openFiles()).not.toContain(path)
  })

  it('reads a device', async () => {
    const nothing = await fileSource('/dev/null', 'filePath')
    expect(await read(nothing.open())).toHaveLength(0)
    const zeros = await fileSource('/dev/zero', 'filePath')
    expect(await read(zeros.open({ end: 3 << 20 }))).toHaveLength(3 << 20)
    expect(openFiles()).not.toContain('/dev/zero')
  })
})

describe('saveAs', () => {
  it('makes the parents, and leaves the whole content and nothing else', async () => {
    const bytes = patterned((2 << 20) + 3)
    const path = at('a', 'b', 'out.bin')
    expect(await saveAs(path, body(bytes), {})).toBe(path)
    expect(Buffer.compare(await readFile(path), bytes)).toBe(0)
    expect(readdirSync(dirname(path))).toEqual(['out.bin'])
  })

  it('replaces a file, keeping its permissions', async () => {
    const path = at('out.bin')
    await writeFile(path, 'old')
    await chmod(path, 0o640)
    await saveAs(path, body(new Uint8Array(5)), {})
    expect(await stat(path)).toMatchObject({ size: 5, mode: 0o100640 })
  })

  it('writes through a link, which stays', async () => {
    await mkdir(at('elsewhere'))
    await writeFile(at('elsewhere', 'real.txt'), 'old')
    await symlink('elsewhere/real.txt', at('link.txt'))
    await symlink('link.txt', at('link-to-link.txt'))
    await saveAs(at('link-to-link.txt'), body(new TextEncoder().encode('new')), {})
    expect(await readFile(at('elsewhere', 'real.txt'), 'utf8')).toBe('new')
    expect(await readlink(at('link-to-link.txt'))).toBe('link.txt')
    expect(readdirSync(at('elsewhere'))).toEqual(['real.txt'])
  })

  it('makes the file that a dangling link names', async () => {
    await symlink('later/real.txt', at('link.txt'))
    await saveAs(at('link.txt'), body(new Uint8Array(2)), {})
    expect(await stat(at('later', 'real.txt'))).toMatchObject({ size: 2 })
    expect(await readlink(at('link.txt'))).toBe('later/real.txt')
  })

  it.each(['a body that fails', 'an abort', 'an abort beforehand'])(
    'leaves the old file alone after %s',
    async (how) => {
      const path = at('deep', 'out.bin')
      await mkdir(at('deep'))
      await writeFile(path, 'old')
      await failSaving(path, how)
      expect(await readFile(path, 'utf8')).toBe('old')
      expect(readdirSync(at('deep'))).toEqual(['out.bin'])
    },
  )

  it.each(['a body that fails', 'an abort', 'an abort beforehand'])(
    'takes back the folders that it made after %s',
    async (how) => {
      await failSaving(at('x', 'y', 'out.bin'), how)
      expect(readdirSync(folder)).toEqual([])
    },
  )

  it('refuses a folder and a device, and cancels the body', async () => {
    for (const path of [folder, '/dev/null']) {
      let cancelled = false
      const unread = new ReadableStream<Uint8Array>({
        cancel: () => {
          cancelled = true
        },
      })
      await expect(saveAs(path, unread, {})).rejects.toMatchObject({
        code: 'invalid-argument',
        argument: 'path',
      })
      expect(cancelled).toBe(true)
    }
    expect((await stat('/dev/null')).isCharacterDevice()).toBe(true)
  })

  it('says why a place can not be written to', async () => {
    await writeFile(at('plain'), '')
    await expect(saveAs(at('plain', 'out.bin'), body(new Uint8Array(1)), {})).rejects.toThrow(
      /can't write .*not a folder/,
    )
    const long = at('x'.repeat(300))
    await expect(saveAs(long, body(new Uint8Array(1)), {})).rejects.toThrow(/name is too long/)
  })

  /** Fails after the first of two chunks, or before it. */
  async function failSaving(path: string, how: string): Promise<void> {
    const controller = new AbortController()
    const reason = new Error('it broke')
    if (how === 'an abort beforehand') controller.abort(reason)
    let pulled = 0
    const failing = new ReadableStream<Uint8Array>({
      pull(c) {
        pulled += 1
        if (pulled === 1) return c.enqueue(patterned(1000))
        if (how === 'an abort') controller.abort(reason)
        else c.error(reason)
      },
    })
    await expect(saveAs(path, failing, { signal: controller.signal })).rejects.toBe(reason)
    expect(openFiles().filter((file) => file.startsWith(folder))).toEqual([])
  }
})

describe('tempFile', () => {
  it('keeps the name, in a folder of its own, until it is removed', async () => {
    const bytes = patterned(5000)
    const file = await tempFile('reports/2024/sea surface.nc', body(bytes), {})
    expect(basename(file.path)).toBe('sea surface.nc')
    expect(Buffer.compare(await readFile(file.path), bytes)).toBe(0)
    expect((await stat(dirname(file.path))).mode & 0o077).toBe(0)
    await file.remove()
    expect(existsSync(dirname(file.path))).toBe(false)
    await file.remove()
  })

  it('stays in its folder, whatever the name', async () => {
    const odd = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.constantFrom(
        '..',
        '.',
        '',
        '/',
        '../../etc/passwd',
        'C:\\boot.ini',
        'nul.txt',
        'a\0b',
        '\ud800.csv',
        '...x',
        'a. ',
      ),
      fc.string({ unit: 'grapheme', minLength: 200, maxLength: 400 }).map((name) => `${name}.csv`),
    )
    await fc.assert(
      fc.asyncProperty(odd, async (name) => {
        const file = await tempFile(name, body(new Uint8Array(1)), {})
        try {
          expect(dirname(dirname(file.path))).toBe(tmpdir())
          expect(readdirSync(dirname(file.path))).toEqual([basename(file.path)])
          expect(basename(file.path)).not.toMatch(/^\.|[<>:"|?*\\]|^nul\b/i)
          if (/^[a-z]+\.csv$/.test(name)) expect(extname(file.path)).toBe('.csv')
        } finally {
          await file.remove()
        }
      }),
      { numRuns: 40 },
    )
  })

  it('keeps the extension of a long name', async () => {
    const file = await tempFile(`${'ü'.repeat(300)}.csv`, body(new Uint8Array(1)), {})
    expect(extname(file.path)).toBe('.csv')
    await file.remove()
  })

  it('leaves nothing after a failure', async () => {
    const before = process.env['TMPDIR']
    process.env['TMPDIR'] = folder
    try {
      const reason = new Error('it broke')
      const failing = new ReadableStream<Uint8Array>({ pull: () => Promise.reject(reason) })
      await expect(tempFile('x', failing, {})).rejects.toBe(reason)
      const signal = AbortSignal.abort(reason)
      await expect(tempFile('x', body(new Uint8Array(9)), { signal })).rejects.toBe(reason)
      expect(readdirSync(folder)).toEqual([])
      process.env['TMPDIR'] = at('missing')
      await expect(tempFile('x', body(new Uint8Array(9)), {})).rejects.toMatchObject({ code: 'not-found' })
    } finally {
      if (before === undefined) delete process.env['TMPDIR']
      else process.env['TMPDIR'] = before
    }
  })
})

describe('samePath', () => {
  it('sees through links and dots', async () => {
    await writeFile(at('real'), '')
    await symlink('real', at('link'))
    expect(samePath(at('link'), `${folder}/x/../real`)).toBe(true)
    expect(samePath(at('real'), at('other'))).toBe(false)
    expect(samePath(at('new'), `${folder}/./new`)).toBe(true)
  })
})

describe('mounted files', () => {
  const store = node.mountedFiles ?? expect.fail('there are files here')

  it('are artifacts that can be read', async () => {
    await writeFile(at('sea.csv'), 'a,b\n1,2\n')
    const id = fileUrn(at('sea.csv'))
    const record = await store.stat(id, {})
    expect(record).toMatchObject({ id, name: 'sea.csv', status: 'ready', size: 8, mimeType: 'text/csv' })
    const content = await store.read(id, { range: { start: 4, end: 99 }, ifMatch: record.etag ?? '' })
    expect(content.range).toEqual({ start: 4, end: 8 })
    expect(new TextDecoder().decode(await read(content.body))).toBe('1,2\n')
    expect(await store.localPath?.(id)).toBe(at('sea.csv'))
  })

  it('are found raw first, then decoded', async () => {
    await writeFile(at('50%25.txt'), 'raw')
    await writeFile(at('50%.txt'), 'decoded')
    await writeFile(at('a b.txt'), 'blank')
    const text = async (name: string) => {
      const { record, body } = await store.read(`urn:file://${folder}/${name}`, {})
      return [record.name, new TextDecoder().decode(await read(body))]
    }
    expect(await text('50%25.txt')).toEqual(['50%25.txt', 'raw'])
    expect(await text('50%.txt')).toEqual(['50%.txt', 'decoded'])
    expect(await text('a%20b.txt')).toEqual(['a b.txt', 'blank'])
  })

  it('answer by code what can not be done', async () => {
    await writeFile(at('x'), 'x')
    const id = fileUrn(at('x'))
    await expect(store.stat(fileUrn(at('missing')), {})).rejects.toMatchObject({ code: 'not-found' })
    await expect(store.stat(fileUrn(at('x', 'y')), {})).rejects.toMatchObject({ code: 'not-found' })
    await expect(store.stat(fileUrn(folder), {})).rejects.toMatchObject({ code: 'not-found' })
    await expect(store.stat('urn:ivcap:artifact:x', {})).rejects.toMatchObject({ code: 'not-found' })
    await expect(store.read(id, { ifMatch: 'other' })).rejects.toMatchObject({ code: 'precondition-failed' })
    await expect(store.read(id, { range: { start: 1 } })).rejects.toMatchObject({ code: 'invalid-argument' })
    const source = contentSource('x')
    const draft = { mimeType: 'text/plain' }
    const options = { retries: 0, retryDelay: 0 }
    await expect(store.create(source, draft, options)).rejects.toMatchObject({ code: 'unsupported' })
    await expect(store.list({ limit: 1, orderDesc: true }, {})).rejects.toMatchObject({ code: 'unsupported' })
    const signal = AbortSignal.abort('enough')
    await expect(store.stat(id, { signal })).rejects.toBe('enough')
    await expect(store.read(id, { signal })).rejects.toBe('enough')
  })

  it('change their etag with their bytes', async () => {
    await writeFile(at('x'), 'one')
    const { etag } = await store.stat(fileUrn(at('x')), {})
    await writeFile(at('x'), 'three')
    expect((await store.stat(fileUrn(at('x')), {})).etag).not.toBe(etag)
  })
})

function body(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return contentSource(bytes).open()
}

function fifo(): string {
  const path = at('pipe')
  execFileSync('mkfifo', [path])
  return path
}

/** Where the descriptors of this process lead (Linux). */
function openFiles(): string[] {
  const of = (fd: string) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`)
    } catch {
      return ''
    }
  }
  return readdirSync('/proc/self/fd').map(of)
}
