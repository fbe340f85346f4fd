import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { withMd5 } from '../src/streams/digest.js'
import { withDigest } from '../src/streams/sha256.js'
import { contentSource } from '../src/streams/source.js'
import { bytesOf, read, sha256 } from './support/bytes.js'
import { oneShot, replayable } from './support/contents.js'

describe('digest beside the reading', () => {
  it('is that of the bytes, once the end was read', async () => {
    await fc.assert(
      fc.asyncProperty(bytesOf(200), fc.constantFrom(...replayable, ...oneShot), async (bytes, [, make]) => {
        const { source, sha256: digest } = withDigest(contentSource(make(bytes)))
        expect(await read(source.open())).toEqual(bytes)
        expect(digest()).toBe(sha256(bytes))
      }),
    )
  })

  it('goes on over streams that take up where the one before stopped, also with an overlap', async () => {
    await fc.assert(
      fc.asyncProperty(bytesOf(200), fc.nat(100), fc.nat(200), async (bytes, from, to) => {
        const blob = new Blob([bytes])
        const { source, sha256: digest } = withDigest(contentSource(blob))
        await read(source.open({ end: to }))
        await read(source.open({ offset: Math.min(from, to) }))
        expect(digest()).toBe(sha256(bytes))
      }),
    )
  })

  it('is unknown where bytes were left out or the end not seen', async () => {
    const { source, sha256: digest } = withDigest(contentSource(new Blob([new Uint8Array(10)])))
    expect(digest()).toBeUndefined()
    await read(source.open({ offset: 5 }))
    expect(digest()).toBeUndefined()
    await read(source.open({ end: 4 }))
    await read(source.open({ offset: 5 }))
    expect(digest()).toBeUndefined()
  })

  it('is told of bytes in memory that a place took whole', () => {
    const { source, sha256: digest } = withDigest(contentSource('hello'))
    expect(source.native).toMatchObject({ kind: 'bytes' })
    expect(digest()).toBe(sha256(new TextEncoder().encode('hello')))
  })

  it('comes as MD5 for the sidecar', async () => {
    const { source, md5 } = withMd5(contentSource('hello'))
    await read(source.open())
    expect(await md5()).toBe('5d41402abc4b2a76b9719d911017c592')
  })

  it('comes as MD5 from a thread, where there is much to hash, also when a part came twice', async () => {
    const bytes = new Uint8Array(40 << 20).map((_, i) => i * 7 + (i >> 13))
    const { source, md5, close } = withMd5(contentSource(bytes))
    await read(source.open({ end: 30 << 20 }))
    await read(source.open({ offset: 20 << 20 }))
    expect(await md5()).toBe(createHash('md5').update(bytes).digest('hex'))
    close()
  })

  it('is closed unfinished', async () => {
    const { source, md5, close } = withMd5(contentSource(new Uint8Array(40 << 20)))
    await read(source.open({ end: 1 << 20 }))
    close()
    expect(await md5()).toBeUndefined()
  })
})
