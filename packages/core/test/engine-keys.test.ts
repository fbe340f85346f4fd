import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  currentKeys,
  type Entry,
  entryOf,
  idOf,
  markKeys,
  parseEntry,
  parseTail,
  pastKeys,
} from '../src/engine/index/entries.js'
import {
  closingKey,
  decodeSchema,
  encodeSchema,
  encodeSchemaPrefix,
  idKey,
  invertUuid,
  pairOf,
  parseSlotKey,
  slotKey,
} from '../src/engine/keys.js'
import { timestamp } from '../src/model/time.js'
import { compareKeys } from '../src/query/order.js'

const text = (maxLength: number) => fc.string({ unit: 'grapheme', minLength: 1, maxLength })
const schema = fc.oneof(
  text(40),
  text(800),
  text(300).map((s) => `urn:${s}`),
  fc.string({ unit: fc.constantFrom(':', 'A', 'a', '%', '/', 'é'), minLength: 1, maxLength: 500 }),
)
const time = fc.nat({ max: 8_000_000_000_000_000 }).map(timestamp)
const uuid = fc.uuid()
const slot = fc.option(fc.integer({ min: 1, max: 1_000_000_000 }), { nil: undefined })
const entry = fc
  .tuple(fc.string({ unit: 'grapheme' }), schema, uuid, time, slot)
  .map(([entity, s, id, at, n]) => entryOf(pairOf(entity, s), id, at, n))

describe('keys', () => {
  it('are printable ASCII, short, and no segment is too long for a file name', () => {
    const keysOf = (e: Entry, by: string) => [
      idKey(e.uuid),
      closingKey(e.uuid),
      slotKey(e.pair, e.slot ?? 1),
      ...currentKeys(e),
      ...markKeys(e, by, e.validFrom),
      ...pastKeys(e, e.validFrom),
    ]
    fc.assert(
      fc.property(entry, uuid, (e, by) => {
        for (const key of keysOf(e, by)) {
          expect(key).toMatch(/^[\x21-\x7e]{1,1024}$/)
          for (const segment of key.split('/')) {
            expect(segment).not.toBe('')
            expect(segment.replaceAll(':', '%3A').length).toBeLessThanOrEqual(200)
            // ":" and escapes aside, what differs by case alone would be one file on some disks
            expect(segment.replace(/=[0-9A-F]{2}/g, '')).toBe(
              segment.replace(/=[0-9A-F]{2}/g, '').toLowerCase(),
            )
          }
        }
      }),
    )
  })

  it('tell schemas apart, and give back those that fit', () => {
    fc.assert(
      fc.property(schema, schema, (a, b) => {
        const encoded = encodeSchema(a)
        expect(encoded === encodeSchema(b)).toBe(a === b)
        const decoded = decodeSchema(encoded)
        if (decoded !== undefined) expect(decoded).toBe(a)
        else expect(encoded.length).toBeGreaterThan(100)
      }),
    )
  })

  it('of a schema begin with those of every beginning of it', () => {
    fc.assert(
      fc.property(schema, fc.nat(), (s, n) => {
        const beginning = s.slice(0, n % (s.length + 1))
        expect(encodeSchema(s).startsWith(encodeSchemaPrefix(beginning))).toBe(true)
      }),
    )
  })

  it('of slots put the newest first', () => {
    const pair = pairOf('urn:e', 'urn:s')
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000_000 }), (n) => {
        const older = slotKey(pair, n)
        const newer = slotKey(pair, n + 1)
        expect(newer < older).toBe(true)
        expect(parseSlotKey(pair, older)).toBe(n)
        expect(parseSlotKey(pair, `${older}.tmp`)).toBeUndefined()
      }),
    )
  })

  it('of index entries ascend as time and id descend', () => {
    fc.assert(
      fc.property(entry, entry, fc.boolean(), (a, other, sameTime) => {
        const b = sameTime ? entryOf(other.pair, other.uuid, a.validFrom, other.slot) : other
        if (a.uuid === b.uuid) return
        const order = compareKeys([a.validFrom, idOf(a)], [b.validFrom, idOf(b)], 'DESC')
        expect(Math.sign(a.name < b.name ? -1 : 1)).toBe(order)
      }),
    )
  })

  it('of index entries tell all of the entry, and what stands behind its name', () => {
    fc.assert(
      fc.property(entry, uuid, time, (e, by, end) => {
        const nameOf = (key: string | undefined) => key?.split('/').at(-1) ?? ''
        expect(parseEntry(e.pair.schema, nameOf(currentKeys(e)[0]))).toEqual({ entry: e })
        const marks = markKeys(e, by, end)
        expect(marks).toHaveLength(e.slot === undefined ? 4 : 2)
        for (const key of marks) {
          const parsed = parseEntry(e.pair.schema, nameOf(key))
          expect(parsed?.entry).toEqual(e)
          expect(parseTail(parsed?.tail)).toEqual({ by })
        }
        const past = parseEntry(e.pair.schema, nameOf(pastKeys(e, end)[1]))
        expect(past?.entry).toEqual(e)
        expect(parseTail(past?.tail)).toEqual({ end })
      }),
    )
  })

  it('invert uuids, and back', () => {
    fc.assert(fc.property(uuid, (id) => invertUuid(invertUuid(id)) === id))
  })
})
