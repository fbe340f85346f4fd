import { runInNewContext } from 'node:vm'
import { memoryBackend } from '@ivcap/backend-memory'
import { describe, expect, it } from 'vitest'
import { Ivcap } from '../src/index.js'

const ivcap = new Ivcap(memoryBackend(), { stateDir: false })
const store = async (value: unknown) =>
  (await ivcap.addAspect('urn:x:1', { $schema: 'urn:x:s', a: [{ value }] })).content

class Point {
  readonly x = 1
}
const throwing = {
  get inner() {
    throw new Error('not now')
  },
}

describe('content that JSON.stringify would silently change is refused, with its path', () => {
  it.each<[string, unknown, RegExp?]>([
    ['Map', new Map([['a', 1]]), /fromEntries/],
    ['Set', new Set([1]), /array/],
    ['Number', new Number(5), /valueOf/],
    ['String', new String('ab')],
    ['Boolean', new Boolean(true)],
    ['Uint8Array', new Uint8Array(2), /array/],
    ['ArrayBuffer', new ArrayBuffer(2)],
    ['RegExp', /a/],
    ['Error', new Error('x')],
    ['Promise', Promise.resolve(1)],
    ['Point', new Point(), /toJSON/],
    ['BigInt', 10n, /string/],
    ['invalid Date', new Date(Number.NaN)],
    ['Map', runInNewContext('new Map([[1, 2]])')],
    ['symbol', Symbol('x')],
    ['throws', throwing],
    [
      'toJSON',
      {
        toJSON() {
          throw new Error('no')
        },
      },
    ],
  ])('%s', async (what, value, hint = /./) => {
    const error = await store(value).catch((e: unknown) => e)
    expect(error).toMatchObject({ code: 'invalid-argument', argument: 'content' })
    expect(String(error)).toContain('content.a[0].value')
    expect(String(error)).toContain(what)
    expect(String(error)).toMatch(hint)
  })

  it.each([[[1, undefined]], [Array(2)]])('undefined and holes in arrays', async (value) => {
    await expect(store(value)).rejects.toMatchObject({
      message: expect.stringMatching(/content\.a\[0\]\.value\[\d\]/),
    })
  })
})

it('what JSON holds is stored as JSON.stringify has it', async () => {
  const given = {
    date: new Date(0),
    url: new URL('https://a.example/'),
    foreign: runInNewContext('({ a: [new Date(0)] })'),
    none: undefined,
    bare: Object.assign(Object.create(null), { x: 1 }),
  }
  expect(JSON.stringify((await store(given))['a'])).toBe(JSON.stringify([{ value: given }]))
})
