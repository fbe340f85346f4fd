import { appendFile, rename, rm, stat, symlink, truncate, utimes, writeFile } from 'node:fs/promises'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fileSource } from '../src/runtime/node/index.js'
import { patterned, read } from './support/bytes.js'
import { at, fifo, openFiles } from './support/folder.js'

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
    process.chdir(at())
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
    const failing = fileSource(`${at()}/${name}`, 'filePath')
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
  it.each(changes)('fails when the file %s', async (how, change) => {
    const path = at('data.bin')
    await writeFile(path, patterned(4 << 20))
    // a time that can be set again to the nanosecond
    await utimes(path, 1000, 1000)

    const early = await fileSource(path, 'filePath')
    const midway = await fileSource(path, 'filePath')
    const reader = midway.open().getReader()
    await reader.read()
    await change(path)
    // what is gone has a reason of its own
    const code = how === 'was removed' ? 'not-found' : 'integrity'
    await expect(read(early.open())).rejects.toMatchObject({ code })
    expect(await early.unchanged?.()).toBe(false)
    const rest = async () => {
      for (let next = await reader.read(); !next.done; next = await reader.read());
    }
    const message = expect.stringMatching(how === 'was removed' ? /no such file/ : /changed/)
    await expect(rest()).rejects.toMatchObject({ code, message })
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
  // known failure: pipe
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
