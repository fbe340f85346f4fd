import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { appendFile, mkdir, open, rename, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Urn } from '../src/model/urn.js'
import { fileSource, uploadMemory } from '../src/runtime/node/index.js'
import { defaultStateDir } from '../src/runtime/node/stat-cache.js'
import type { UploadMemory } from '../src/runtime/types.js'
import { withMd5 } from '../src/streams/digest.js'
import { md5, patterned, read } from './support/bytes.js'

const ID: Urn = 'urn:ivcap:artifact:6b1f4f0e-3a51-4f6e-9a3e-0d6a2c1b5e77'
const OTHER: Urn = 'urn:ivcap:artifact:00000000-0000-4000-8000-000000000000'

let folder: string
let stateDir: string
let file: string
let sidecar: string
let memory: UploadMemory
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ivcap-test-'))
  stateDir = join(folder, 'state')
  await mkdir(join(folder, 'data'))
  file = join(folder, 'data', 'reef.jpg')
  sidecar = join(folder, 'data', '.ivcap-reef.jpg.txt')
  memory = uploadMemory({ stateDir })
  await writeFile(file, 'coral')
  laterBy(10_000)
})
afterEach(() => {
  vi.useRealTimers()
  rmSync(folder, { recursive: true })
})

describe('the sidecar', () => {
  it('is one line that other clients of IVCAP read', async () => {
    await memory.remember(file, ID)
    expect(readFileSync(sidecar, 'utf8')).toBe(`${md5(Buffer.from('coral'))}|${ID}\n`)
    expect(readdirSync(join(folder, 'data')).sort()).toEqual(['.ivcap-reef.jpg.txt', 'reef.jpg'])
    expect(await memory.recall(file)).toBe(ID)
  })

  it('is read as others write it', async () => {
    const digest = md5(Buffer.from('coral'))
    for (const text of [`${digest}|${ID}`, `${digest}|${ID}\r\n`, `${digest.toUpperCase()}|${ID}\n`]) {
      await writeFile(sidecar, text)
      expect(await uploadMemory({ stateDir: false }).recall(file)).toBe(ID)
    }
  })

  it('is replaced by the next upload', async () => {
    await memory.remember(file, OTHER)
    await memory.remember(file, ID)
    expect(await memory.recall(file)).toBe(ID)
  })

  it('counts for nothing when the file has another content', async () => {
    await memory.remember(file, ID)
    await writeFile(file, 'kelp!')
    expect(await memory.recall(file)).toBeUndefined()
    await writeFile(file, 'coral')
    expect(await memory.recall(file)).toBe(ID)
  })

  // known failure: sidecar-malformed
  it('counts for nothing when it is malformed, foreign, a folder, huge, or the file is gone', async () => {
    const digest = md5(Buffer.from('coral'))
    const wrong = [
      '',
      '|',
      digest,
      `${digest}|`,
      `${digest}|urn:other:thing`,
      `${digest}|${ID}|x`,
      `x${digest}|${ID}`,
    ]
    for (const text of [
      ...wrong,
      `${digest}|${ID}\n${digest}|${ID}\n`,
      `${digest}|${ID}${' '.repeat(2000)}`,
    ]) {
      await writeFile(sidecar, text)
      expect(await memory.recall(file)).toBeUndefined()
    }
    await rm(sidecar)
    expect(await memory.recall(file)).toBeUndefined()
    await mkdir(sidecar)
    expect(await memory.recall(file)).toBeUndefined()
    await memory.remember(file, ID)
    expect(statSync(sidecar).isDirectory()).toBe(true)
    expect(await memory.recall(join(folder, 'missing'))).toBeUndefined()
    await memory.remember(join(folder, 'missing'), ID)
    expect(existsSync(join(folder, '.ivcap-missing.txt'))).toBe(false)
  })

  it('never throws, whatever is in it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        await writeFile(sidecar, bytes)
        expect(await memory.recall(file)).toBeUndefined()
      }),
    )
  })

  // known failure: sidecar-read-only
  it('never stops an upload where it can not be written', async () => {
    const long = join(folder, 'data', 'x'.repeat(250))
    await writeFile(long, 'coral')
    await memory.remember(long, ID)
    expect(await memory.recall(long)).toBeUndefined()
    expect(readdirSync(join(folder, 'data')).filter((name) => name.endsWith('.part'))).toEqual([])
  })

  // known failure: sidecar-file-changed
  it('is not left for a file that is no longer what was uploaded', async () => {
    const uploaded = await fileSource(file, 'filePath')
    const { source, md5: digest } = withMd5(uploaded)
    await read(source.open())
    await appendFile(file, ' and sponge')
    await memory.remember(file, ID, { md5: await digest(), source: uploaded })
    expect(existsSync(sidecar)).toBe(false)
  })
})

describe('recognising an unchanged file', () => {
  // large enough to be worth remembering
  const large = (text: string) => text.repeat(60_000)
  const [CORAL, KELP, ALGAE] = [large('coral'), large('kelp!'), large('algae')]
  beforeEach(async () => {
    await writeFile(file, CORAL)
    laterBy(10_000)
  })

  it('reads no file of 4 GiB, and takes at most 5 ms', async () => {
    await truncate(file, 4 * 2 ** 30)
    const source = await fileSource(file, 'filePath')
    // as computed while it was uploaded; hashing 4 GiB of nothing here would only take time
    const digest = 'c9a5a6878d97b48cc965c1e41859f034'
    await memory.remember(file, ID, { md5: digest, source })

    const reads = await countReads(async () => {
      const times: number[] = []
      for (let i = 0; i < 9; i += 1) {
        const start = performance.now()
        expect(await uploadMemory({ stateDir }).recall(file)).toBe(ID)
        times.push(performance.now() - start)
      }
      expect(Math.min(...times)).toBeLessThan(5)
    })
    expect(reads).toBe(0)
  })

  it('reads a changed one, once', async () => {
    await memory.remember(file, ID)
    await utimes(file, 1000, 1000)
    expect(await countReads(async () => expect(await memory.recall(file)).toBe(ID))).toBeGreaterThan(0)
    expect(await countReads(async () => expect(await memory.recall(file)).toBe(ID))).toBe(0)
  })

  it('reads one whose stat is too young to be trusted', async () => {
    vi.useRealTimers()
    await writeFile(file, CORAL)
    await memory.remember(file, ID)
    // the same stat, as two writes within one tick of the clock have it
    const { atime, mtime } = await stat(file)
    await writeFile(file, KELP)
    await utimes(file, atime, mtime)
    expect(await memory.recall(file)).toBeUndefined()
    expect(existsSync(join(stateDir, 'files'))).toBe(false)
  })

  it('notices a change that kept size and time', async () => {
    // a time that can be set again to the nanosecond
    await utimes(file, 1000, 1000)
    await memory.remember(file, ID)
    await writeFile(file, KELP)
    await utimes(file, 1000, 1000)
    expect(await memory.recall(file)).toBeUndefined()

    await writeFile(`${file}.new`, ALGAE)
    await utimes(`${file}.new`, 1000, 1000)
    await rename(`${file}.new`, file)
    expect(await memory.recall(file)).toBeUndefined()
  })

  it('keeps what it knows to its user', async () => {
    await memory.remember(file, ID)
    const [entry = ''] = readdirSync(join(stateDir, 'files'))
    expect(statSync(join(stateDir, 'files', entry)).mode & 0o777).toBe(0o600)
    expect(statSync(join(stateDir, 'files')).mode & 0o777).toBe(0o700)
  })

  it('reads a small one, of which nothing is kept', async () => {
    await writeFile(file, 'coral')
    laterBy(10_000)
    await memory.remember(file, ID)
    expect(existsSync(join(stateDir, 'files'))).toBe(false)
    expect(await countReads(async () => expect(await memory.recall(file)).toBe(ID))).toBeGreaterThan(0)
  })

  it('works without a place for that, by reading', async () => {
    await writeFile(join(folder, 'plain'), '')
    for (const nowhere of [false, join(folder, 'plain'), '/dev/null/none'] as const) {
      const without = uploadMemory({ stateDir: nowhere })
      await without.remember(file, ID)
      expect(await countReads(async () => expect(await without.recall(file)).toBe(ID))).toBeGreaterThan(0)
    }
    expect(existsSync(stateDir)).toBe(false)
  })

  it('reads anew where the place holds nonsense', async () => {
    await memory.remember(file, ID)
    const place = join(stateDir, 'files')
    const [entry = ''] = readdirSync(place)
    for (const nonsense of ['', '[]', '{"md5":1}', JSON.stringify({ md5: 'x' })]) {
      await writeFile(join(place, entry), nonsense)
      expect(await memory.recall(file)).toBe(ID)
    }
    expect(readdirSync(place)).toEqual([entry])
  })

  it('can be aborted', async () => {
    const reason = new Error('enough')
    const signal = AbortSignal.abort(reason)
    await expect(memory.recall(file, { signal })).rejects.toBe(reason)
    await expect(memory.remember(file, ID, { signal })).rejects.toBe(reason)

    await writeFile(file, patterned(3 << 20))
    await writeFile(sidecar, `${md5(patterned(3 << 20))}|${ID}\n`)
    const controller = new AbortController()
    const recalling = memory.recall(file, { signal: controller.signal })
    controller.abort(reason)
    await expect(recalling).rejects.toBe(reason)
  })
})

describe('the place for stats', () => {
  it.each([
    ['linux', { HOME: '/home/ann' }, '/home/ann/.cache/ivcap'],
    ['linux', { HOME: '/home/ann', XDG_CACHE_HOME: '/var/ann' }, '/var/ann/ivcap'],
    ['linux', { HOME: '/home/ann', XDG_CACHE_HOME: 'relative' }, '/home/ann/.cache/ivcap'],
    ['darwin', { HOME: '/Users/ann' }, '/Users/ann/Library/Caches/ivcap'],
    ['win32', { LOCALAPPDATA: '/ann/local' }, '/ann/local/ivcap/Cache'],
    ['linux', { HOME: '' }, undefined],
  ] as const)('is on %s with %j %s', (platform, env, dir) => {
    expect(defaultStateDir(env, platform)).toBe(dir)
  })
})

/** Lets the clock of this process go ahead, as if nobody had written to the files for a while. */
function laterBy(ms: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + ms })
}

/** How many reads go through file handles meanwhile, which is how sources read. */
async function countReads(run: () => Promise<unknown>): Promise<number> {
  const handle = await open(file)
  const prototype: { read: (...args: unknown[]) => unknown } = Object.getPrototypeOf(handle)
  await handle.close()
  const { read: original } = prototype
  let reads = 0
  prototype.read = function (...args) {
    reads += 1
    return original.apply(this, args)
  }
  try {
    await run()
  } finally {
    prototype.read = original
  }
  return reads
}
