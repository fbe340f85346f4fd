import fc from 'fast-check'
import { expect, it } from 'vitest'
import { setMember } from '../src/aspects/set-member.js'

const blanks = fc.stringMatching(/^[ \t\r\n]{0,3}$/)
const values = fc.oneof(
  fc.json({ maxDepth: 3 }),
  fc.constantFrom('1.0', '12345678901234567890', '1e400', '-0', '"\\u0076alid_to"', '{"valid_to":null}'),
)
const keys = fc.oneof(
  fc.string({ unit: 'binary' }).map((key) => JSON.stringify(key)),
  fc.constantFrom('"valid_to"', '"valid\\u005fto"', '"id"', '"\\"valid_to"'),
)
const members = fc.array(fc.tuple(blanks, keys, blanks, blanks, values, blanks), { maxLength: 5 })

it('only the member changes, whatever else the text holds', () => {
  fc.assert(
    fc.property(members, fc.constantFrom('', '\ufeff'), blanks, fc.string(), (list, bom, end, value) => {
      const parts = list.map(([a, key, b, c, json, d]) => [`${a}${key}${b}:${c}`, json, d] as const)
      const textOf = (items: readonly (readonly [string, string, string])[]) =>
        `${bom}{${items.map((item) => item.join('')).join(',')}}${end}`
      const text = textOf(parts)
      const result = setMember(text, 'valid_to', value) ?? ''
      const read = JSON.parse(result.slice(bom.length))
      expect(read.valid_to).toBe(value)
      const at = list.map(([, key]) => JSON.parse(key)).lastIndexOf('valid_to')
      const json = JSON.stringify(value)
      if (at >= 0)
        expect(result).toBe(textOf(parts.map((part, i) => (i === at ? [part[0], json, part[2]] : part))))
      // what is added is all in one piece
      else
        expect(
          result.replace(
            /,?[ \t\r\n]*"valid_to"[ \t\r\n]*:[ \t\r\n]*"(?:[^"\\]|\\.)*"(?=[ \t\r\n]*}[ \t\r\n]*$)/,
            '',
          ),
        ).toBe(text)
      const rest = JSON.parse(text.slice(bom.length))
      delete read.valid_to
      delete rest.valid_to
      expect(read).toEqual(rest)
    }),
    { seed: 7, numRuns: 500 },
  )
})

it('a text that is no object has no members', () => {
  for (const text of ['', '[]', 'null', '"x"', '{"a":', '{} {}'])
    expect(setMember(text, 'a', 'b')).toBeUndefined()
})
