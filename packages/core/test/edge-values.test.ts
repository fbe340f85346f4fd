import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { emit, IvcapError, PageProgress, parseTime, parseTimestamp, timestamp } from '../src/internal.js'

const TIMESTAMP = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z$/

describe('times', () => {
  it.each([
    ['9999-12-31T23:59:59-14:00', undefined],
    ['9999-12-31T23:59:59.9999999Z', '9999-12-31T23:59:59.999999Z'],
    ['9999-12-31T23:59:59+14:00', '9999-12-31T09:59:59.000000Z'],
    ['0000-01-01T00:00:00+14:00', undefined],
    ['0000-01-01T00:00:00Z', '0000-01-01T00:00:00.000000Z'],
    ['2024-01-01T00:00:00+99:00', undefined],
    ['2024-01-01T00:00:00+01:75', undefined],
    ['2024-02-30', undefined],
  ])('%s is %s', (text, expected) => expect(parseTimestamp(text)).toBe(expected))

  it('whatever a text says, it is a valid time or none', () => {
    const two = fc.integer({ min: 0, max: 99 }).map((n) => String(n).padStart(2, '0'))
    const year = fc.oneof(
      fc.constantFrom('0000', '0001', '9998', '9999'),
      two.map((n) => `20${n}`),
    )
    const zone = fc.oneof(
      fc.constant('Z'),
      fc.tuple(fc.constantFrom('+', '-'), two, two).map(([s, h, m]) => `${s}${h}:${m}`),
    )
    fc.assert(
      fc.property(year, two, two, two, zone, (y, month, day, hour, z) => {
        const time = parseTimestamp(`${y}-${month}-${day}T${hour}:00:00${z}`)
        if (time === undefined) return
        expect(time).toMatch(TIMESTAMP)
        expect(Number.isNaN(new Date(time).getTime())).toBe(false)
      }),
      { seed: 15, numRuns: 2000 },
    )
  })

  it('of a clock or a file far away is the nearest that can be written', () => {
    for (const micros of [-8.64e18, 8.64e18, 1e300, -1e300, Number.NaN])
      expect(timestamp(micros)).toMatch(TIMESTAMP)
    expect(timestamp(1e300) > timestamp(0)).toBe(true)
  })

  it('a Date beyond the years 0 to 9999 is refused', () => {
    for (const ms of [8.64e15, -8.64e15, Number.NaN])
      expect(() => parseTime(new Date(ms), 'atTime')).toThrow(
        expect.objectContaining({ code: 'invalid-argument', argument: 'atTime' }),
      )
  })
})

describe('messages', () => {
  it('of errors and events are one line without control characters, bidi or hidden ones', () => {
    const evil = 'a\u001b[2J\r\nb\u0000\u009b\u2028\u202ec\u200b\ufeff\t\u2066'
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    const unsafe = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u200b\ufeff\u2066]/
    const { message } = new IvcapError('unknown', evil)
    expect(message).not.toMatch(unsafe)
    expect(message).toContain('\\u001b[2J')
    let told = ''
    emit({ kind: 'orphan', message: evil }, (event) => {
      told = event.message
    })
    expect(told).toBe(message)
    expect(new IvcapError('unknown', 'Grüße 🐠 – 珊瑚').message).toBe('Grüße 🐠 – 珊瑚')
  })
})

describe('pages', () => {
  /** Pages followed until it is proven that they lead nowhere. */
  const followed = (cursorAt: (n: number) => string, itemsAt: (n: number) => readonly unknown[]): number => {
    const progress = new PageProgress()
    for (let n = 0; n < 5000; n += 1) {
      try {
        progress.check(cursorAt(n), itemsAt(n))
      } catch (error) {
        expect(error).toMatchObject({ code: 'protocol', retryable: false })
        return n
      }
    }
    return Number.POSITIVE_INFINITY
  }

  it('a circle is found, however long it is and whatever leads into it', () => {
    fc.assert(
      fc.property(fc.nat(50), fc.integer({ min: 1, max: 100 }), (lead, length) => {
        const at = (n: number) => `${n < lead ? n : lead + ((n - lead) % length)}`
        expect(followed(at, (n) => [{ id: n }])).toBeLessThan(4 * (lead + length) + 4)
      }),
      { seed: 15 },
    )
  })

  it('pages that bring something new are followed', () => {
    expect(
      followed(
        (n) => `${n}`,
        (n) => [{ id: n }],
      ),
    ).toBe(Number.POSITIVE_INFINITY)
    expect(
      followed(
        (n) => `${n}`,
        (n) => (n % 50 === 0 ? [{ id: n }] : []),
      ),
    ).toBe(Number.POSITIVE_INFINITY)
  })

  it('pages without an item, and the same items again, come to an end', () => {
    expect(
      followed(
        (n) => `${n}`,
        () => [],
      ),
    ).toBeLessThan(200)
    expect(
      followed(
        (n) => `${n}`,
        () => [{ id: 1 }, { id: 2 }],
      ),
    ).toBeLessThan(50)
  })
})
