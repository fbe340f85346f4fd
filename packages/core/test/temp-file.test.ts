import { existsSync, readdirSync } from 'node:fs'
import { readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, extname } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { samePath, tempFile } from '../src/runtime/node/index.js'
import { bodyOf as body, patterned } from './support/bytes.js'
import { at } from './support/folder.js'

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

  // known failure: name-traversal
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
    process.env['TMPDIR'] = at()
    try {
      const reason = new Error('it broke')
      const failing = new ReadableStream<Uint8Array>({ pull: () => Promise.reject(reason) })
      await expect(tempFile('x', failing, {})).rejects.toBe(reason)
      const signal = AbortSignal.abort(reason)
      await expect(tempFile('x', body(new Uint8Array(9)), { signal })).rejects.toBe(reason)
      expect(readdirSync(at())).toEqual([])
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
    expect(samePath(at('link'), `${at()}/x/../real`)).toBe(true)
    expect(samePath(at('real'), at('other'))).toBe(false)
    expect(samePath(at('new'), `${at()}/./new`)).toBe(true)
  })
})
