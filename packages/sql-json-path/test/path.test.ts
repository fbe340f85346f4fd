import { compile, type JsonValue, SqlJsonPathError } from '@ivcap/sql-json-path'
import { describe, expect, it } from 'vitest'

const finds = (path: string, document: JsonValue): boolean => compile(path).exists(document)

const track = {
  track: {
    segments: [
      { location: [47.763, 13.4034], 'start time': '2018-10-14 10:05:14', HR: 73 },
      { location: [47.706, 13.2635], 'start time': '2018-10-14 10:39:21', HR: 135 },
    ],
  },
}

it.each<[path: string, content: JsonValue, found: boolean]>([
  // paths, as PostgreSQL documents them
  ['$.track.segments', track, true],
  ['$.track.segments[*].location', track, true],
  ['$.track.segments[0].location', track, true],
  ['$.track.segments[2].location', track, false],
  ['$.track.segments.size() ? (@ == 2)', track, true],
  ['$.track.segments[*].HR ? (@ > 130)', track, true],
  ['$.track.segments[*].HR ? (@ > 135)', track, false],
  ['$.track.segments[*] ? (@.HR > 130)."start time"', track, true],
  ['$.track.segments[*] ? (@.location[1] < 13.4) ? (@.HR > 130)."start time"', track, true],
  ['$.track.segments[*] ? (@.location[1] < 13.4).HR ? (@ > 140)', track, false],
  ['$.track ? (exists(@.segments[*] ? (@.HR > 130))).segments.size()', track, true],
  ['$.track.segments[*].HR < 70', track, true],
  ['lax $.track.segments.location', track, true],
  ['strict $.track.segments.location', track, false],
  ['strict $.track.segments[*].location', track, true],
  ['strict $.**.HR', track, true],
  // literals, operators and methods
  ['$ ? (@ == 1 || @ == 3)', [2, 3], true],
  ['$[0] ? (@ + 3 == 5)', [2], true],
  ['$[0] ? (-(@ - 7) == 5)', [2], true],
  ['$ ? (@[0] % 10 == 2)', [32], true],
  ['$ ? (@[0] / 0 == 1)', [1], false],
  ['$ ? ((@[0] / 0 == 1) is unknown)', [1], true],
  ['$ ? (0.1 + 0.2 == 0.3)', 1, true],
  ['$ ? (1 / 3 == 0.33333333333333333333)', 1, true],
  ['$.m[*].floor() ? (@ == 0)', { m: [0.3, 15] }, true],
  ['$.m.ceiling() ? (@ == 1)', { m: 0.3 }, true],
  ['$.len.double() * 2 ? (@ == 3.8)', { len: '1.9' }, false],
  ['($.len.double() * 2) ? (@ == 3.8)', { len: '1.9' }, true],
  ['$.keyvalue() ? (@.key == "x").value', { x: '20', y: 32 }, true],
  ['$[*].type() ? (@ == "object")', [1, '2', {}], true],
  ['$.string() ? (@ == "1.23")', 1.23, true],
  ['$[*] ? (@ starts with "John")', ['John Smith', 'Bob'], true],
  ['$[*] ? (@ like_regex "^ab.*c")', ['abc', 'abd', 'aBdC'], true],
  ['$[2] ? (@ like_regex "^ab.*c" flag "i")', ['abc', 'abd', 'aBdC'], true],
  ['$[*] ? (@ like_regex "^\\\\d+$")', ['a1', '17'], true],
  ['$ ? (@ like_regex "a.c" flag "q")', 'abc', false],
  ['$[last]', [], false],
  ['$[last - 1] ? (@ == 2)', [1, 2, 3], true],
  ['$[1 to last] ? (@ == 1)', [1, 2, 3], false],
  ['$.**{2} ? (@ == 3)', { a: { b: 3 } }, true],
  ['$.**{last} ? (@ == 3)', { a: { b: 3 } }, true],
  // numbers are those that JSON holds, texts are compared by code point
  ['$ ? (@ == 9007199254740994)', 2 ** 53 + 2, true],
  ['$ ? (@ == 9007199254740993)', 2 ** 53 + 2, false],
  ['$ ? (@ > "\uffff")', '😀', true],
  // names that objects have anyway
  ['$.constructor', {}, false],
  ['$.__proto__', JSON.parse('{"__proto__": 1}'), true],
])('%s in %j: %s', (path, content, found) => {
  expect(finds(path, content)).toBe(found)
})

/** The error of a path that is refused. */
function refusalOf(path: string, document: JsonValue = {}): unknown {
  try {
    return finds(path, document)
  } catch (error) {
    return error
  }
}

describe('what is wrong is said with its position', () => {
  it.each<[path: string, at: number, problem: string]>([
    ['', 1, 'found the end where a value such as $'],
    ['$.', 3, 'found the end where a key, *, ** or a method was expected'],
    ['$.a[', 5, 'found the end where a value'],
    ['$.a[0', 6, 'found the end where "]" was expected'],
    ['$.a ? @ > 1', 7, 'found "@" where "(" was expected'],
    ['$.a ? (@ = 1)', 10, 'found "=" where a comparison such as == was expected'],
    ['$.a ? (@.b)', 11, 'found ")" where a comparison such as == was expected'],
    ['$.a ? (@ > 1', 13, 'found the end where ")" was expected'],
    ['$.a ? (@ > 1 && @)', 18, 'found ")" where a comparison'],
    ['($.a == 1) == true', 12, 'found "==" where'],
    ['1 < 2 < 3', 7, 'found "<" where an operator or the end was expected'],
    ['$.a == Reef', 8, 'found "Reef" where a value such as'],
    ['$.a.count()', 10, '"count" is no method'],
    ['$.a starts "x"', 12, 'found "\\"x\\"" where "with" was expected'],
    ['$.a starts with @', 17, 'a text in double quotes'],
    ['$.a like_regex "("', 16, 'a parenthesis is not closed'],
    ['$.a like_regex "a**"', 16, 'wrong at its character 3: there is nothing to repeat'],
    ['$.a like_regex "a" flag "z"', 16, 'there is no flag z'],
    ['$.a == "x', 8, 'the text that begins here has no end'],
    ['$.a == "\\u12"', 9, 'an escape is'],
    ['$.a == 12a', 10, 'the number 12 goes on'],
    ['@.a', 1, '@ means something inside a filter only'],
    ['last', 1, 'last means something inside a subscript only'],
    ['$ /* x', 3, 'the comment that begins here has no end'],
    [`${'('.repeat(101)}1${')'.repeat(101)}`, 102, 'more than 100 levels'],
  ])('%s', (path, at, problem) => {
    const error = refusalOf(path)
    expect(error).toMatchObject({ reason: 'syntax', position: at - 1 })
    expect(String(error)).toContain(`at character ${at}: `)
    expect(String(error)).toContain(problem)
  })
})

it.each([
  ['$.a ? (@ > $limit)', 'the variable $limit'],
  ['$."a" == $"some limit"', 'the variable $"some limit"'],
  ['$.a.datetime() < "2026-01-01"', '.datetime()'],
  ['$.a.timestamp_tz(3)', '.timestamp_tz()'],
  ['$.a like_regex "(a)\\\\1"', 'a back reference'],
  ['$.a like_regex "(?=a)"', 'looks ahead or behind'],
  ['$.a like_regex "(?i)a"', 'embedded options'],
  ['$.a like_regex "a" flag "x"', 'the flag x'],
])('%s is not supported, which is said', (path, what) => {
  const error = refusalOf(path)
  expect(error).toMatchObject({ reason: 'unsupported', position: expect.any(Number) })
  expect(String(error)).toContain(what)
})

describe('work is bounded', () => {
  const deep = (levels: number): JsonValue => (levels === 0 ? 1 : { a: [deep(levels - 1)], b: 1 })

  it.each<[what: string, path: string, content: JsonValue, problem: string]>([
    ['a long path', `$${'.a'.repeat(5000)}`, {}, 'at most 10000'],
    ['a path that nests as it goes', `$${'[0]'.repeat(1200)}`, 1, 'steps inside of each other'],
    ['content that is nested too deep', '$.** ? (@ == 0)', deep(1000), 'steps inside of each other'],
    ['a large regular expression', '$ like_regex "((a{99}){99}){99}"', 'a', 'too many repetitions'],
    [
      'many regular expressions',
      Array(20).fill('($ like_regex "((a|b){99}){9}")').join(' || '),
      'a',
      'too many repetitions',
    ],
  ])('%s', (_, path, content, problem) => {
    const outcome = refusalOf(path, content)
    expect(outcome).toBeInstanceOf(SqlJsonPathError)
    expect(String(outcome)).toContain(problem)
  })

  it('numbers beyond what PostgreSQL holds are an error inside of a condition', () => {
    expect(finds(`$ ? (${Array(60).fill('1e9999').join(' * ')} > 1)`, 1)).toBe(false)
  })
})
