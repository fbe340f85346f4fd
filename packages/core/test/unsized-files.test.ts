import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { fileUrn } from '../src/model/urn.js'
import { fileSource, mountedFiles } from '../src/runtime/node/index.js'
import { read } from './support/bytes.js'

/** Files that say that they have 0 bytes, or 4096, and have others (Linux). */
const FILES = ['/proc/version', '/proc/filesystems', '/sys/devices/system/cpu/online']

describe.runIf(process.platform === 'linux')('a file whose size is not what its stat says', () => {
  it.each(FILES)('%s is a source of all its bytes, as often as they are wanted', async (path) => {
    const content = readFileSync(path)
    const source = await fileSource(path, 'filePath')
    expect(source).toMatchObject({ size: content.byteLength, replayable: true })
    expect(content.byteLength).toBeGreaterThan(0)
    for (const offset of [0, 1, content.byteLength]) {
      expect(Buffer.compare(await read(source.open({ offset })), content.subarray(offset))).toBe(0)
    }
  })

  it.each(FILES)('%s is an artifact of all its bytes', async (path) => {
    const store = mountedFiles ?? expect.fail('there are files here')
    const content = readFileSync(path)
    const record = await store.stat(fileUrn(path), {})
    expect(record.size).toBe(content.byteLength)
    const { body, range } = await store.read(fileUrn(path), { ifMatch: record.etag ?? '' })
    expect(range).toEqual({ start: 0, end: content.byteLength })
    expect(Buffer.compare(await read(body), content)).toBe(0)
    const part = await store.read(fileUrn(path), { range: { start: 1 } })
    expect(Buffer.compare(await read(part.body), content.subarray(1))).toBe(0)
  })

  it('is read once, as it comes, where it is larger than memory should hold', async () => {
    // the names of the kernel's functions: some 10 MB
    const source = await fileSource('/proc/kallsyms', 'filePath')
    expect(source).toMatchObject({ replayable: false })
    expect(source.size).toBeUndefined()
    expect((await read(source.open())).byteLength).toBe(readFileSync('/proc/kallsyms').byteLength)
  })
})
