import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nameOfSegment, pathOfKey, segmentOfName } from '../src/blobs/keys.js'

const segment = fc.string({
  unit: fc
    .integer({ min: 0x20, max: 0x7e })
    .map((c) => String.fromCharCode(c))
    .filter((c) => c !== '/'),
  minLength: 1,
  maxLength: 60,
})

describe('keys as file names', () => {
  it('come back as they were, and differ when the keys do', () => {
    fc.assert(
      fc.property(segment, (s) => {
        expect(segmentOfName(nameOfSegment(s))).toBe(s)
      }),
    )
  })

  it('are safe on any file system', () => {
    fc.assert(
      fc.property(segment, (s) => {
        const name = nameOfSegment(s)
        expect(name).toMatch(/^[^./<>:"|?*\\][^/<>:"|?*\\]*$/)
        expect(name).not.toMatch(/[. ]$/)
        expect(name).not.toMatch(/^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i)
      }),
    )
  })

  it.each(['.', '..', '../x', 'a/../b', '.staging/x', 'NUL', 'a/con.txt', 'a:b', 'x%41'])(
    'keep %j inside',
    (key) => {
      for (const name of pathOfKey(key).split('/')) expect(name).not.toMatch(/^\.|^(nul|con)\b/i)
    },
  )

  it.each(['', '/a', 'a/', 'a//b', 'ä', 'a\0b', 'a\nb', 'x'.repeat(256), `${'x/'.repeat(600)}x`])(
    'refuse %.20j',
    (key) => {
      expect(() => pathOfKey(key)).toThrow(
        expect.objectContaining({ code: 'invalid-argument', argument: 'key' }),
      )
    },
  )

  it('don’t take foreign files for blobs', () => {
    expect(['.hidden', 'a:b', 'trailing.', '%zz', '%61', 'ü'].map(segmentOfName)).toEqual(
      Array(6).fill(undefined),
    )
  })
})
