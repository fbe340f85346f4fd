import { readdirSync } from 'node:fs'
import { chmod, mkdir, readFile, readlink, stat, symlink, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { describe, expect, it } from 'vitest'
import { checkFilePath, saveAs } from '../src/runtime/node/index.js'
import { chunkMemory } from '../src/streams/chunk-memory.js'
import { bodyOf as body, patterned } from './support/bytes.js'
import { at, openFiles } from './support/folder.js'

describe('saveAs', () => {
  it('makes the parents, and leaves the whole content and nothing else', async () => {
    const bytes = patterned((2 << 20) + 3)
    const path = at('a', 'b', 'out.bin')
    expect(await saveAs(path, body(bytes), {})).toBe(path)
    expect(Buffer.compare(await readFile(path), bytes)).toBe(0)
    expect(readdirSync(dirname(path))).toEqual(['out.bin'])
  })

  it('puts pieces of all sizes together, empty ones and more than one write takes', async () => {
    const bytes = patterned((3 << 20) + 5)
    const sizes = [0, 1, 700, 65_536, 1 << 20, 3]
    const pieces = async function* () {
      for (let at = 0, i = 0; at < bytes.byteLength; i += 1) {
        // a thousand tiny ones in between
        const size = i > 6 && i < 1006 ? 7 : (sizes[i % sizes.length] ?? 0)
        yield bytes.subarray(at, at + size)
        at += size
      }
    }
    await saveAs(at('out.bin'), ReadableStream.from(pieces()), {})
    expect(Buffer.compare(await readFile(at('out.bin')), bytes)).toBe(0)
  })

  it('gives memory back once it was written, and not before', async () => {
    const memory = chunkMemory()
    const bytes = patterned((24 << 20) + 5)
    const used = new Set<ArrayBufferLike>()
    const pieces = async function* () {
      for (let start = 0; start < bytes.byteLength; start += 1 << 18) {
        const piece = memory.take(Math.min(1 << 18, bytes.byteLength - start))
        piece.set(bytes.subarray(start, start + piece.byteLength))
        used.add(piece.buffer)
        yield piece
      }
    }
    await saveAs(at('out.bin'), ReadableStream.from(pieces()), { memory })
    expect(Buffer.compare(await readFile(at('out.bin')), bytes)).toBe(0)
    expect(used.size).toBeLessThan(16)
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

  // known failure: partial-file, good-file-truncated
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

  // known failure: partial-file
  it.each(['a body that fails', 'an abort', 'an abort beforehand'])(
    'takes back the folders that it made after %s',
    async (how) => {
      await failSaving(at('x', 'y', 'out.bin'), how)
      expect(readdirSync(at())).toEqual([])
    },
  )

  it('refuses a folder and a device, and cancels the body', async () => {
    for (const path of [at(), '/dev/null']) {
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

  it.each(['', 'results/', 'results/.', '..', 'a\0b', 'file:///tmp/out.bin', 'https://example.org/out.bin'])(
    'a path like %j is refused, with nothing looked up',
    (path) => {
      const refused = expect.objectContaining({ code: 'invalid-argument', argument: 'path' })
      expect(() => checkFilePath(path, 'path')).toThrow(refused)
      expect(() => checkFilePath(path === '' ? 7 : path, 'path')).toThrow(refused)
    },
  )

  it.each(['a', './a', '../a', 'a b', '...', '.hidden', 'a.', 'x:y', '%2F'])(
    'a path like %j is taken',
    (path) => {
      expect(checkFilePath(path, 'path')).toBe(path)
    },
  )

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
    expect(openFiles().filter((file) => file.startsWith(at()))).toEqual([])
  }
})
