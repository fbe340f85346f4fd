import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { chmod, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { copyAs } from '../src/runtime/node/index.js'
import { patterned } from './support/bytes.js'
import { at, openFiles } from './support/folder.js'

const bytes = patterned((3 << 20) + 7)
const size = bytes.byteLength
const sha256 = createHash('sha256').update(bytes).digest('hex')

async function original(): Promise<string> {
  await writeFile(at('own.bin'), bytes)
  return at('own.bin')
}

describe('copyAs', () => {
  it.each([{}, { sha256 }])(
    'makes the parents, and leaves the whole and nothing else, with %j',
    async (digest) => {
      const path = at('a', 'b', 'out.bin')
      const told: unknown[] = []
      const onProgress = (copied: number, total?: number) => told.push([copied, total])
      expect(await copyAs(path, await original(), { size, onProgress, ...digest })).toBe(path)
      expect(Buffer.compare(await readFile(path), bytes)).toBe(0)
      expect(readdirSync(at('a', 'b'))).toEqual(['out.bin'])
      expect(told.at(-1)).toEqual([size, size])
      expect(openFiles().filter((file) => file.startsWith(at()))).toEqual([])
    },
  )

  it('is a copy of its own', async () => {
    const from = await original()
    await copyAs(at('out.bin'), from, { size })
    await writeFile(at('out.bin'), 'mine')
    expect(Buffer.compare(await readFile(from), bytes)).toBe(0)
  })

  it('replaces a file behind a link, whose permissions are the same', async () => {
    await writeFile(at('real.bin'), 'old')
    await symlink('real.bin', at('link.bin'))
    expect(await copyAs(at('link.bin'), await original(), { size })).toBe(at('link.bin'))
    expect((await stat(at('real.bin'))).size).toBe(size)
  })

  it('keeps the permissions of what it replaces', async () => {
    await writeFile(at('private.bin'), 'old')
    await chmod(at('private.bin'), 0o600)
    await copyAs(at('private.bin'), await original(), { size })
    expect((await stat(at('private.bin'))).mode & 0o777).toBe(0o600)
  })

  it('leaves to others what is not what it should be, and nothing behind', async () => {
    const from = await original()
    await mkdir(at('folder'))
    const cases = [
      [at('x', 'out.bin'), from, { size: size - 1 }],
      [at('x', 'out.bin'), from, { size, sha256: sha256.replace(/./g, '0') }],
      [at('x', 'out.bin'), at('none'), { size }],
      [at('x', 'out.bin'), at('folder'), { size }],
    ] as const
    for (const [path, source, o] of cases) expect(await copyAs(path, source, o)).toBeUndefined()
    expect(readdirSync(at()).sort()).toEqual(['folder', 'own.bin'])
  })

  it('says no more than the reason of an abort, and leaves nothing', async () => {
    const from = await original()
    const reason = new Error('enough')
    for (const beforehand of [true, false]) {
      const caller = new AbortController()
      if (beforehand) caller.abort(reason)
      const copying = copyAs(at('deep', 'out.bin'), from, { size, sha256, signal: caller.signal })
      caller.abort(reason)
      await expect(copying).rejects.toBe(reason)
    }
    expect(readdirSync(at())).toEqual(['own.bin'])
  })

  it('refuses a folder, and says why a place can not be written to', async () => {
    const from = await original()
    await expect(copyAs(at(), from, { size })).rejects.toMatchObject({
      code: 'invalid-argument',
      argument: 'path',
    })
    await expect(copyAs(at('own.bin', 'out.bin'), from, { size })).rejects.toThrow(
      /can't write .*not a folder/,
    )
  })
})
