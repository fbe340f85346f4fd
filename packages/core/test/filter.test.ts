import type { ArtifactRecord, AspectRecord } from '@ivcap/core/driver'
import { artifactFilter, aspectFilter } from '@ivcap/core/internal'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

const artifact: ArtifactRecord = {
  id: 'urn:ivcap:artifact:1',
  name: "Scott's 50% Reef_7",
  status: 'ready',
  size: 1000,
  mimeType: 'image/jpeg',
  createdAt: '2026-01-31T09:30:00.123456Z',
}

const aspect: AspectRecord = {
  id: 'urn:ivcap:aspect:1',
  entity: 'urn:e:1',
  schema: 'urn:s:1',
  content: { $schema: 'urn:s:1', FirstName: 'Scott', n: 5, ok: true, none: null, deep: { er: 'x' } },
  asserter: 'urn:ivcap:account:1',
}

describe('a filter of lists', () => {
  const tagged: AspectRecord = { ...aspect, content: { tags: ['coral', 7, null], name: 'a reef', n: 5 } }
  const found = async (filter: string) => aspectFilter(filter)(tagged)

  it.each([
    "content.tags contains 'coral'",
    'content.tags contains 7',
    "content.name contains 'reef'",
    "content.n in (4, 5) and content.name in ('a reef')",
    "id in ('urn:x', 'urn:ivcap:aspect:1')",
    "not content.n in (4, 'five')",
    "not content.tags contains 'cora'",
    'content.tags != null',
    "valid-from in ('2026-01-31') or content.n = 5",
  ])('%s is true', async (filter) => {
    expect(await found(filter)).toBe(true)
  })

  it.each([
    "content.name contains 'coral'",
    'content.n contains 5',
    "content.absent in ('a')",
    "not content.absent in ('a')",
  ])('%s is not', async (filter) => {
    expect(await found(filter)).toBe(false)
  })

  it.each([
    ["content.tags = 'coral'", 'content.tags is a list: ask whether it has a value'],
    ["content.tags ~= 'cor%'", 'content.tags is a list'],
    ["content.tags in ('coral')", 'content.tags is a list'],
    ['content.n in ()', 'expected a number, or a text in quotes, found ")"'],
    ['content.n in (1', 'expected "," or ")", found the end'],
    ['content.n in (1 2)', 'expected "," or ")", found "2"'],
    ['content.n in 1', "expected a list such as ('a', 'b'), found \"1\""],
    ['content.n in (null)', 'null, which stands for absent'],
    ['content.n contains null', 'null, which stands for absent'],
    ["valid-from contains '2026'", 'contains is for lists and texts, and valid-from is a time'],
  ])('%s says what is wrong', async (filter, message) => {
    await expect(found(filter)).rejects.toMatchObject({ code: 'invalid-argument', argument: 'filter' })
    await expect(found(filter)).rejects.toThrow(message)
  })
})

describe('a filter of artifacts', () => {
  it.each([
    'size = 1000',
    'size=1e3',
    'size != 999 and size <> 998 and size ne 997',
    'size >= 1000 and size <= 1000',
    'not size < 1000 and not size gt 1000',
    "mime-type = 'image/jpeg'",
    'MIME_Type eq "image/jpeg"',
    "name = 'Scott''s 50% Reef_7'",
    'name = "Scott\'s 50% Reef_7"',
    "name ~= 'Scott%'",
    "name ~= '%Reef_7'",
    "name ~= '%50\\%%'",
    "name ~= 'S%o%t%7'",
    "name ~= '%Reef\\_7'",
    "name ~= '%Ree__7%'",
    "name ~= ''",
    "name ~= 'Reef_7'",
    "created-at > '2026-01-31'",
    "created-at = '2026-01-31T10:30:00.123456+01:00'",
    "size > 2000 or name ~= 'Reef' and status = 'ready'",
    "(size > 2000 or name ~= 'Reef') and status = 'ready'",
    'not (not (size = 1000))',
    'NOT size = 1 AND size = 1000',
    'policy = null and size != null',
    ' \n size\t=\n1000 ',
  ])('%s is true', async (filter) => {
    expect(await artifactFilter(filter)(artifact)).toBe(true)
  })

  it.each([
    'size = 1001',
    "name = 'scott''s 50% reef_7'",
    "name ~= 'Reef%'",
    "name ~= '%Scott'",
    "name ~= 'scott'",
    "name ~= 'Reef.7'",
    "policy = 'urn:x:y'",
    "policy != 'urn:x:y'",
    "not policy = 'urn:x:y'",
    "policy = 'urn:x:y' or not policy = 'urn:x:y'",
    'policy != null',
    "created-at < '2026-01-31T09:30:00.123456Z'",
    "size = 1 or size = 2 and status = 'ready'",
  ])('%s is not', async (filter) => {
    expect(await artifactFilter(filter)(artifact)).toBe(false)
  })
})

it.each([
  ["content.FirstName eq 'Scott'", true],
  ["content.firstname eq 'Scott'", false],
  ['content.n > 4.5', true],
  ["content.n = '5'", false],
  ["content.n != '5'", true],
  ["content.n < '6' or content.n >= '6'", false],
  ['content.ok = true', true],
  ['content.none = null', true],
  ['content.none = 5', false],
  ["content.deep.er ~= 'x'", true],
  ['content.deep = 5', false],
  ["content.toString != 'x'", false],
  ['content.$schema = "urn:s:1"', true],
  ["entity = 'urn:e:1' and created-by ~= '%1' and asserter ~= '%1'", true],
  ['valid-to = null', true],
] as const)('a filter of aspects: %s is %s', async (filter, expected) => {
  expect(await aspectFilter(filter)(aspect)).toBe(expected)
})

it.each([
  ['', 1, 'expected a field'],
  ['name', 5, 'expected one of = !='],
  ["name = 'a' and", 15, 'expected a field'],
  ["name = 'a' size = 5", 12, 'expected and, or, or the end, found "size"'],
  ["(name = 'a'", 12, 'expected ")"'],
  ["name = 'a')", 11, 'found ")"'],
  ['name = Scott', 8, 'expected a number, or a text in quotes, found "Scott"'],
  ["name = 'Scott", 8, 'has no end'],
  ["colour = 'red'", 1, '"colour" is none of id, name, status'],
  ["size = '5'", 8, 'expected a number'],
  ['name = 5', 8, 'a text in quotes'],
  ["size ~= '5'", 9, '~= is for texts'],
  ['name > null', 8, 'null'],
  ["created-at > 'yesterday'", 14, 'ISO 8601'],
  ["name ~~ 'x'", 6, '"~" has no meaning'],
  ["toString = 'x'", 1, 'is none of'],
  ["content.x = 'x'", 1, 'is none of'],
  [`${'('.repeat(200)}size = 1${')'.repeat(200)}`, 102, 'nested'],
  [`${'not '.repeat(200)}size = 1`, 405, 'nested'],
  ['x'.repeat(10_001), 10_001, 'at most 10000'],
] as const)('%s is wrong at %i', (filter, at, what) => {
  expect(() => artifactFilter(filter)).toThrow(
    expect.objectContaining({
      code: 'invalid-argument',
      argument: 'filter',
      message: expect.stringMatching(
        new RegExp(
          `^filter is wrong at character ${at}: .*${what.replaceAll(/[$()*+.?[\\\]^{|}~]/g, '\\$&')}`,
        ),
      ),
    }),
  )
})

it('an unknown field of an aspect is said to be perhaps one of its content', () => {
  expect(() => aspectFilter("FirstName eq 'Scott'")).toThrow('content.<member>')
})

it('patterns fit as regular expressions say where they repeat themselves', async () => {
  const words = fc.string({ unit: fc.constantFrom('a', 'a', 'b', '_', '%'), maxLength: 40 })
  const names = fc.string({ unit: fc.constantFrom('a', 'a', 'b', '_'), maxLength: 80 })
  await fc.assert(
    fc.asyncProperty(words, names, async (pattern, name) => {
      const like = `%${pattern}%`
      expect(await artifactFilter(`name ~= '${like}'`)({ ...artifact, name })).toBe(asRegExp(like).test(name))
    }),
    { numRuns: 3000 },
  )
})

it('patterns fit as regular expressions say, in any mix of characters', async () => {
  const letters = fc.constantFrom('a', 'b', '%', '_', '\\', '😀', '.')
  const words = fc.array(letters, { maxLength: 8 }).map((chars) => chars.join(''))
  await fc.assert(
    fc.asyncProperty(words, words, async (pattern, name) => {
      const like = pattern.includes('%') ? pattern : `%${pattern}`
      const filter = `name ~= '${like}'`
      expect(await artifactFilter(filter)({ ...artifact, name })).toBe(asRegExp(like).test(name))
    }),
    { numRuns: 3000 },
  )
})

function asRegExp(pattern: string): RegExp {
  const source = pattern.replaceAll(/\\?(.)/gsu, (both, char: string) => {
    if (both.length === char.length && char === '%') return '.*'
    if (both.length === char.length && char === '_') return '.'
    return char.replaceAll(/[$()*+.?[\\\]^{|}]/gu, '\\$&')
  })
  return new RegExp(`^${source}$`, 'su')
}

it('any text is a filter, or a wrong one: never another failure', async () => {
  const pieces = fc.constantFrom(
    'name',
    'size',
    '=',
    '~=',
    "'a%'",
    '5',
    'and',
    'or',
    'not',
    '(',
    ')',
    'null',
    "'",
    ' ',
  )
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.string(),
        fc.array(pieces).map((p) => p.join(' ')),
      ),
      async (filter) => {
        try {
          expect(typeof (await artifactFilter(filter)(artifact))).toBe('boolean')
        } catch (e) {
          expect(e).toMatchObject({ code: 'invalid-argument', argument: 'filter' })
        }
      },
    ),
    { numRuns: 3000 },
  )
})
