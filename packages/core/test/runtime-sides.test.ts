import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as nodeHash from '../src/runtime/node/hash.js'
import * as node from '../src/runtime/node/index.js'
import type { Runtime } from '../src/runtime/types.js'
import * as none from '../src/runtime/web.js'
import * as webHash from '../src/runtime/web-hash.js'
import { sha256 } from './support/bytes.js'

describe('the two sides of #runtime', () => {
  const sides: readonly Runtime[] = [node, none]

  it('offer the same', () => {
    expect(Object.keys(none).sort()).toEqual(Object.keys(node).sort())
  })

  it('hash alike', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 200 })), async (chunks) => {
        for (const { asyncHasher } of sides) {
          const beside = asyncHasher('sha256', undefined)
          for (const chunk of chunks) await beside.update(chunk)
          expect(await beside.digest()).toBe(sha256(Buffer.concat(chunks)))
        }
        for (const { createSha256 } of [nodeHash, webHash]) {
          const sha = createSha256()
          for (const chunk of chunks) sha.update(chunk)
          expect(sha.digest()).toBe(sha256(Buffer.concat(chunks)))
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
    const files: Runtime = none
    expect(() => files.asyncHasher('md5', 5)).toThrow('file system')
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
