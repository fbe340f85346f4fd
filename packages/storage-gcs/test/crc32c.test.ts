import { CRC32C } from '@google-cloud/storage'
import { expect, it } from 'vitest'
import { Crc32c } from '../src/crc32c.js'

function crcOf(...pieces: readonly Uint8Array[]): string {
  const crc = new Crc32c()
  for (const piece of pieces) crc.update(piece)
  return crc.digest()
}

it('is the checksum of RFC 3720', () => {
  expect(crcOf()).toBe('AAAAAA==')
  expect(crcOf(Buffer.from('123456789'))).toBe(Buffer.from('e3069283', 'hex').toString('base64'))
  expect(crcOf(new Uint8Array(32))).toBe(Buffer.from('8a9136aa', 'hex').toString('base64'))
})

it('is the same in pieces, and as the vendor has it', () => {
  const bytes = Buffer.from(Array.from({ length: 300 }, (_, i) => (i * 7919) & 255))
  const theirs = new CRC32C()
  theirs.update(bytes)
  for (let cut = 0; cut <= 40; cut++) {
    expect(crcOf(bytes.subarray(0, cut), bytes.subarray(cut))).toBe(theirs.toString())
  }
})
