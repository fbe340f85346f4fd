import fc from 'fast-check'
import { expect, it } from 'vitest'
import { IvcapError } from '../src/model/errors.js'
import { compileContentPath } from '../src/query/content-path.js'
import { pathOfWhere } from '../src/query/where/path.js'

it.each<[object, string | undefined]>([
  [{}, undefined],
  [{ level: 'raw' }, '$ ? (@.level == "raw")'],
  [{ depth: { gt: 10, lte: 50 } }, '$ ? (@.depth > 10 && @.depth <= 50)'],
  [{ 'images.size': { gt: 1e6 } }, '$ ? (@.images.size > 1000000)'],
  [{ '"a.b".c': null }, '$ ? (@."a.b".c == null)'],
  [{ name: { startsWith: 'CTD' } }, '$ ? (@.name starts with "CTD")'],
  [{ name: { like: '%reef.' } }, String.raw`$ ? (@.name like_regex "^.*reef\\.$" flag "s")`],
  [{ name: { matches: 'reef$', flags: 'i' } }, '$ ? (@.name like_regex "reef$" flag "i")'],
  [{ site: { in: ['a', 2] } }, '$ ? ((@.site == "a" || @.site == 2))'],
  [{ note: { exists: false }, n: { exists: true } }, '$ ? (!exists(@.note) && exists(@.n))'],
  [{ or: [{ a: 1 }, { b: 2, c: 3 }] }, '$ ? (((@.a == 1) || (@.b == 2 && @.c == 3)))'],
  [{ not: { a: 1 } }, '$ ? (!exists(@ ? (@.a == 1)))'],
  [{ a: { ne: 1 } }, '$ ? (exists(@.a) && !exists(@ ? (@.a == 1)))'],
  [{ a: 12345678901234567890n }, '$ ? (@.a == 12345678901234567890)'],
])('%o', (where, path) => {
  expect(pathOfWhere(where)).toBe(path)
})

it.each<[unknown, string]>([
  ['raw', 'where must be an object of conditions, not "raw"'],
  [[{ a: 1 }], 'where must be an object of conditions'],
  [{ a: undefined }, 'where.a must be a text, a number, true, false or null, not undefined'],
  [{ a: { size: 1 } }, 'where.a.size is no operator'],
  [{ a: {} }, 'where.a has no operator'],
  [{ a: { gt: {} } }, 'where.a.gt must be a number or a text'],
  [{ a: { gt: true } }, 'where.a.gt must be a number or a text'],
  [{ a: { in: [] } }, 'where.a.in must be a list with at least one value'],
  [{ a: { in: [1, [2]] } }, 'where.a.in[1] must be'],
  [
    { a: ['x', 'y'] },
    'where.a must be a text, a number, true, false or null, not x,y: for any of several values, use in',
  ],
  [{ a: { exists: 'yes' } }, 'where.a.exists must be true or false'],
  [{ a: { flags: 'i' } }, 'where.a.flags belongs to matches'],
  [{ a: { matches: 'x', flags: 'g' } }, 'where.a.flags must be of the letters'],
  [{ a: { like: 'x\\' } }, 'where.a.like ends with a single backslash'],
  [{ a: { like: 1 } }, 'where.a.like must be a text'],
  [{ a: Number.NaN }, 'where.a must be'],
  [{ a: new Date(0) }, 'use toISOString()'],
  [{ a: 'x\0' }, 'where.a has a character that no content can have'],
  [{ a: '\ud800' }, 'where.a has a character that no content can have'],
  [{ 'a..b': 1 }, 'where has the key "a..b", which is no path'],
  [{ '': 1 }, 'where has the key "", which is no path'],
  [{ 'a.': 1 }, 'which is no path'],
  [{ '"a': 1 }, 'which is no path'],
  [{ or: [] }, 'where.or must be a list of conditions with at least one'],
  [{ or: { a: 1 } }, 'where.or must be a list of conditions'],
  [{ or: [{ a: 1 }, {}] }, 'where.or[1] has no condition'],
  [{ not: {} }, 'where.not has no condition'],
  [{ and: [{ not: { a: { lt: null } } }] }, 'where.and[0].not.a.lt must be a number or a text, not null'],
  [{ a: 'x'.repeat(10_000) }, 'ask in several calls'],
])('%o names what can not be meant', (where, message) => {
  const make = () => pathOfWhere(where)
  expect(make).toThrow(IvcapError)
  expect(make).toThrow(expect.objectContaining({ code: 'invalid-argument', argument: 'where' }))
  expect(make).toThrow(message)
})

it('conditions that contain themselves end with an error', () => {
  const where: { not?: object } = {}
  where.not = where
  expect(() => pathOfWhere(where)).toThrow('nested more than 50 levels')
})

it('any key and any text make a path that can be read', () => {
  const text = fc.string({ unit: 'binary' })
  fc.assert(
    fc.property(text, text, (key, value) => {
      let path: string | undefined
      try {
        path = pathOfWhere({ [JSON.stringify(key)]: value, b: { startsWith: value, like: value } })
      } catch (error) {
        expect(error).toMatchObject({ code: 'invalid-argument', argument: 'where' })
        return
      }
      expect(compileContentPath(path ?? '')).toBeTypeOf('function')
    }),
  )
})
