import fc from 'fast-check'
import { expect, it } from 'vitest'
import { bytesOf, keysOf, type ListQuery, pageOfKeys, put } from '../support/blobs.js'
import { expectBytes } from '../support/bytes.js'
import type { BlobPlace } from './place.js'

/** Keys that are sorted differently, or become equal, in folders, in locales or where case is ignored. */
const TRAPS = [
  'a!b',
  'a-b',
  'a.b',
  'a/b',
  'a/b!',
  'a/b-c/d',
  'a/b0',
  'a/c/d',
  'a/c0',
  'a0',
  'a_b',
  'A/b',
  'A0',
  'Z',
  'z',
  'B/2',
  'B/10',
  'B/1',
  '0',
  '10',
  '9',
  '~',
  'with blank',
  'with%20blank',
  'with+plus',
  'quote\'"`',
  '<angle>&amp;',
  'colon:star*?',
  'x=1;y=2,z',
  '(round)[square]{curly}',
  '.hidden',
  '.hidden.',
  '$HOME',
  'con',
  'tail.',
  `long/${'k'.repeat(190)}/${'l'.repeat(190)}/${'m'.repeat(190)}`,
  Array.from({ length: 5 }, (_, i) => String(i).repeat(200)).join('/'),
]

/** Listings return keys in ASCII order, whatever characters they have. Each page starts exactly after `startAfter`. */
export function listing(place: BlobPlace): void {
  const sorted = [...TRAPS].sort()

  it('keys that are hard to keep apart, in ASCII order', async () => {
    for (const key of TRAPS) await put(place.at, key, key)
    for (const limit of [1000, 7, 1]) expect(await keysOf(place.at, '', limit)).toEqual(sorted)
    for (const key of TRAPS) expectBytes(await bytesOf(place.at, key), new TextEncoder().encode(key))
  })

  it.each(['a', 'a/', 'a/b', 'a-', 'B/', 'B/1', 'w', 'with%', `long/${'k'.repeat(100)}`, 'nothing', '~'])(
    'below the prefix %s',
    async (prefix) => {
      for (const key of TRAPS) await put(place.at, key, '')
      const expected = sorted.filter((k) => k.startsWith(prefix))
      expect(await keysOf(place.at, prefix)).toEqual(expected)
      expect(await keysOf(place.at, prefix, 2)).toEqual(expected)
    },
  )

  it('any prefix, start and limit', async () => {
    for (const key of TRAPS) await put(place.at, key, '')
    const cut = fc.tuple(fc.constantFrom(...TRAPS), fc.nat(6)).map(([key, length]) => key.slice(0, length))
    const start = fc.oneof(cut, fc.constantFrom(...TRAPS, 'a/zzz', '!', undefined))
    await fc.assert(
      fc.asyncProperty(cut, start, fc.integer({ min: 1, max: 12 }), async (prefix, startAfter, limit) => {
        const query = { prefix, limit, ...(startAfter !== undefined && { startAfter }) }
        const { items, more } = await place.at.list(query, {})
        const fit = sorted.filter((k) => k.startsWith(prefix) && k > (startAfter ?? ''))
        expect(items.map((i) => i.key)).toEqual(fit.slice(0, limit))
        expect(more).toBe(fit.length > limit)
      }),
      { numRuns: 100 },
    )
  })

  const DELIMITED: readonly (Omit<ListQuery, 'delimiter'> & { readonly title: string })[] = [
    { title: 'folders and blobs of the top', prefix: '', limit: 1000 },
    { title: 'in the merged order, prefixes counting toward the limit', prefix: '', limit: 3 },
    { title: 'below a folder', prefix: 'a/', limit: 1000 },
    { title: 'a prefix that ends within a segment', prefix: 'a', limit: 1000 },
    { title: 'a prefix that ends within a segment of a folder', prefix: 'a/b', limit: 1000 },
    { title: 'after a folder: nothing of it', prefix: '', startAfter: 'a/', limit: 2 },
    {
      title: 'after a key within a folder: nothing of the folder',
      prefix: '',
      startAfter: 'a/b-c/d',
      limit: 2,
    },
    { title: 'after a key before a folder: the folder', prefix: '', startAfter: 'a.b', limit: 1 },
    { title: 'nothing below the prefix', prefix: 'nothing/', limit: 10 },
  ]
  const listed = async (query: Omit<ListQuery, 'delimiter'>) => {
    const { items, prefixes, more } = await place.at.list({ ...query, delimiter: '/' }, {})
    return { items: items.map(({ key }) => ({ key })), prefixes: prefixes ?? [], more }
  }
  const expectedPage = ({ prefix, startAfter, limit }: Omit<ListQuery, 'delimiter'>) => {
    const query = { prefix, limit, delimiter: '/' as const, ...(startAfter !== undefined && { startAfter }) }
    const { items, prefixes, more } = pageOfKeys(TRAPS, query, (key) => ({ key, size: 0, etag: '' }))
    return { items: items.map(({ key }) => ({ key })), prefixes, more }
  }

  it('with a delimiter: folders once each, beside blobs', async () => {
    for (const key of TRAPS) await put(place.at, key, '')
    for (const { title, ...query } of DELIMITED)
      expect(await listed(query), title).toEqual(expectedPage(query))
    const info = (await place.at.list({ prefix: 'a/', limit: 1, delimiter: '/' }, {})).items[0]
    expect(info).toEqual(await place.at.head('a/b', {}))
  })

  it('with a delimiter, page by page: each folder once, none lost', async () => {
    for (const key of TRAPS) await put(place.at, key, '')
    for (const limit of [1, 2, 5]) {
      const names: string[] = []
      for (let more = true; more; ) {
        const startAfter = names.at(-1)
        const page = await listed({ prefix: '', limit, ...(startAfter !== undefined && { startAfter }) })
        names.push(...[...page.items.map(({ key }) => key), ...page.prefixes].sort())
        more = page.more
      }
      const { items, prefixes } = expectedPage({ prefix: '', limit: 1000 })
      expect(names).toEqual([...items.map(({ key }) => key), ...(prefixes ?? [])].sort())
    }
  })

  it('with a delimiter: any prefix, start and limit', async () => {
    for (const key of TRAPS) await put(place.at, key, '')
    const cut = fc.tuple(fc.constantFrom(...TRAPS), fc.nat(8)).map(([key, length]) => key.slice(0, length))
    const start = fc.oneof(cut, fc.constantFrom(...TRAPS, 'a/', 'B/', 'long/', 'a/zzz', undefined))
    await fc.assert(
      fc.asyncProperty(cut, start, fc.integer({ min: 1, max: 12 }), async (prefix, startAfter, limit) => {
        const query = { prefix, limit, ...(startAfter !== undefined && { startAfter }) }
        expect(await listed(query)).toEqual(expectedPage(query))
      }),
      { numRuns: 100 },
    )
  })

  it('with a delimiter: a folder is gone with its last blob', async () => {
    for (const key of ['f/1', 'f/2', 'g/1']) await put(place.at, key, '')
    await place.at.delete('f/1', {})
    expect((await listed({ prefix: '', limit: 10 })).prefixes).toEqual(['f/', 'g/'])
    await place.at.delete('f/2', {})
    expect(await listed({ prefix: '', limit: 10 })).toEqual({ items: [], prefixes: ['g/'], more: false })
  })

  it('nothing: no items, and no more', async () => {
    expect(await place.at.list({ prefix: '', limit: 10 }, {})).toEqual({ items: [], more: false })
    await put(place.at, 'a/b', '')
    expect(await place.at.list({ prefix: 'a/b/', limit: 10 }, {})).toEqual({ items: [], more: false })
    expect(await place.at.list({ prefix: 'a/', startAfter: 'a/b', limit: 1 }, {})).toEqual({
      items: [],
      more: false,
    })
  })

  it('goes on after a key that is gone by then', async () => {
    for (const key of ['k/1', 'k/2', 'k/3']) await put(place.at, key, '')
    await place.at.delete('k/2', {})
    const { items } = await place.at.list({ prefix: 'k/', startAfter: 'k/2', limit: 10 }, {})
    expect(items.map((i) => i.key)).toEqual(['k/3'])
  })

  it('1,100 keys, more than a server lists at a time', { timeout: 300_000 }, async () => {
    const keys = Array.from({ length: 1100 }, (_, n) => `many/${n % 3}/${n}`)
    for (let n = 0; n < keys.length; n += 20) {
      await Promise.all(keys.slice(n, n + 20).map((key) => put(place.at, key, '')))
    }
    expect(await keysOf(place.at, 'many/')).toEqual([...keys].sort())
    expect(await keysOf(place.at, 'many/1/', 100)).toEqual(keys.filter((k) => k.startsWith('many/1/')).sort())
  })
}
