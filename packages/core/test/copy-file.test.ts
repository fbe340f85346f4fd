import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  closeSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { chmod, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { copyFile, fileSource } from '../src/runtime/node/index.js'
import { patterned, sha256 } from './support/bytes.js'
import { at, openFiles } from './support/folder.js'

const MiB = 1 << 20
const quiet = { digest: false, report: () => {} }

async function sourceOf(bytes: Uint8Array, name = 'source.bin') {
  await writeFile(at(name), bytes)
  return fileSource(at(name), 'filePath')
}

describe('copying a file', () => {
  it.each([0, 1, MiB - 1, MiB, MiB + 1, 3 * MiB, 5 * MiB + 7])('%i bytes, and their digest', async (size) => {
    const bytes = patterned(size)
    const seen: number[] = []
    const o = { digest: true, report: (count: number) => void seen.push(count) }
    const copied = await copyFile(await sourceOf(bytes), at('source.bin'), at('to'), o)
    expect(copied).toEqual({ size, sha256: sha256(bytes) })
    expect(Buffer.compare(await readFile(at('to')), bytes)).toBe(0)
    expect(seen).toEqual([...seen].sort((a, b) => a - b))
    expect(seen.at(-1)).toBe(size)
    expect(openFiles().filter((file) => file.startsWith(at()))).toEqual([])
  })

  const changes: readonly (readonly [string, (path: string) => void, string])[] = [
    ['has become shorter', (path) => truncateSync(path, 1000), 'integrity'],
    ['has become empty', (path) => truncateSync(path, 0), 'integrity'],
    ['has become longer', (path) => appendFileSync(path, 'more'), 'integrity'],
    ['was removed', (path) => rmSync(path), 'not-found'],
    [
      'was replaced by as many bytes',
      (path) => {
        writeFileSync(`${path}.new`, patterned(statSync(path).size, 9))
        renameSync(`${path}.new`, path)
      },
      'integrity',
    ],
  ]
  it.each(changes)('ends with an error when the file %s', async (_, change, code) => {
    for (const size of [1000 * 1000, 6 * MiB]) {
      const source = await sourceOf(patterned(size))
      change(at('source.bin'))
      const copying = copyFile(source, at('source.bin'), at(`to-${size}`), quiet)
      await expect(copying).rejects.toMatchObject({ code, resource: at('source.bin') })
    }
  })

  it.each(changes)('ends with an error when the file %s half way', async (_, change, code) => {
    const source = await sourceOf(patterned(24 * MiB))
    let changed = false
    const report = (count: number) => {
      if (count === 0 || changed) return
      changed = true
      change(at('source.bin'))
    }
    const copying = copyFile(source, at('source.bin'), at('to'), { digest: false, report })
    await expect(copying).rejects.toMatchObject({ code })
  })

  it.each([10, 2 * MiB])('does not believe the size that was said: %i bytes', async (size) => {
    const { unchanged: _, ...source } = await sourceOf(patterned(size))
    for (const said of [0, 1, size - 1, size + 1, 3 * size]) {
      const copying = copyFile({ ...source, size: said }, at('source.bin'), at(`to-${said}`), quiet)
      await expect(copying).rejects.toMatchObject({ code: 'integrity' })
    }
    const { size: _size, ...unsized } = source
    expect((await copyFile(unsized, at('source.bin'), at('to'), quiet)).size).toBe(size)
  })

  it('hears an abort between two pieces, and has closed both files then', async () => {
    const source = await sourceOf(patterned(24 * MiB))
    const caller = new AbortController()
    const seen: number[] = []
    const report = (count: number) => {
      seen.push(count)
      if (count > 0) caller.abort('enough')
    }
    const o = { digest: false, report, signal: caller.signal }
    await expect(copyFile(source, at('source.bin'), at('to'), o)).rejects.toBe('enough')
    expect(seen.at(-1)).toBeLessThan(4 * MiB)
    expect(openFiles().filter((file) => file.startsWith(at()))).toEqual([])
  })

  it('leaves what is there as it is', async () => {
    const source = await sourceOf(patterned(10))
    await writeFile(at('to'), 'old')
    await expect(copyFile(source, at('source.bin'), at('to'), quiet)).rejects.toThrow(/EEXIST/)
    expect(await readFile(at('to'), 'utf8')).toBe('old')
  })

  it('gives the copy the permissions that the umask leaves, or those asked for', async () => {
    for (const size of [10, 2 * MiB]) {
      const source = await sourceOf(patterned(size))
      for (const mode of [0o600, 0o755]) {
        await chmod(at('source.bin'), mode)
        await copyFile(source, at('source.bin'), at('plain'), quiet)
        await copyFile(source, at('source.bin'), at('private'), { ...quiet, mode: 0o640 })
        expect((await stat(at('plain'))).mode & 0o777).toBe(0o666 & ~process.umask())
        expect((await stat(at('private'))).mode & 0o777).toBe(0o640)
        await rm(at('plain'))
        await rm(at('private'))
      }
    }
  })

  it('keeps the holes of a sparse file', async () => {
    const size = 64 * MiB + 5
    const file = openSync(at('sparse.bin'), 'w')
    writeSync(file, patterned(100), 0, 100, 0)
    writeSync(file, patterned(3 * MiB), 0, 3 * MiB, 20 * MiB + 17)
    closeSync(file)
    truncateSync(at('sparse.bin'), size)
    // file systems without holes have nothing to keep
    const { blocks } = await stat(at('sparse.bin'))
    await copyFile(await fileSource(at('sparse.bin'), 'filePath'), at('sparse.bin'), at('to'), quiet)
    execFileSync('cmp', [at('sparse.bin'), at('to')])
    expect((await stat(at('to'))).blocks * 512).toBeLessThanOrEqual(blocks * 512 + 4 * 64 * 1024)
  })
})
