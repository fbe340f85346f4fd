import { Ivcap } from '@ivcap/core'
import { timestamp } from '@ivcap/core/driver'
import { micros } from '@ivcap/core/internal'
import { expect, it } from 'vitest'
import { add, allAspects, aspectQuery, ENTITY, SCHEMA, update } from '../support/aspects.js'
import { expectError } from '../support/expect-error.js'
import { pagesOf } from '../support/pages.js'
import type { BackendPlace } from './place.js'

/** Content paths select aspects by their content, as PostgreSQL's SQL/JSON paths do. */
export function contentPaths(place: BackendPlace): void {
  /** Returns the `n` of the aspects that a path selects, oldest first by default. */
  const found = async (contentPath: string, orderBy = 'valid_from') => {
    const listed = await allAspects(place.at, { contentPath, orderBy, orderDirection: 'ASC' })
    return listed.map(({ content }) => content?.['n'])
  }

  it('by members, however deep, and by elements of arrays', async () => {
    await add(place.at, { n: 1, images: [{ size: 9000 }, { size: 20_000 }] })
    await add(place.at, { n: 2, images: [{ size: 10_000 }] })
    await add(place.at, { n: 3, images: { size: 20_000, tags: ['coral'] } })
    expect(await found('$.images')).toEqual([1, 2, 3])
    expect(await found('$.images[*] ? (@.size > 10000)')).toEqual([1, 3])
    expect(await found('strict $.images[*] ? (@.size > 10000)')).toEqual([1])
    expect(await found('$.images[1]')).toEqual([1])
    expect(await found('$.** ? (@ == "coral")')).toEqual([3])
    expect(await found('$ ? (@.n + 1 == 3 || exists(@.images.tags))')).toEqual([2, 3])
    expect(await found('$ ? (!(@.images[*].size >= 20000))')).toEqual([2])
    expect(await found('$.images.size() ? (@ == 2)')).toEqual([1])
    expect(await found('$.depth')).toEqual([])
  })

  it('by texts', async () => {
    const names = ['CTD-7', 'ctd "8"', 'Grüße 🐠', 'XCTD']
    for (const [n, name] of names.entries()) await add(place.at, { n, name })
    expect(await found('$.name ? (@ starts with "CTD")')).toEqual([0])
    expect(await found('$.name ? (@ == "ctd \\"8\\"")')).toEqual([1])
    expect(await found('$.name ? (@ == "Gr\\u00fc\\u00dfe 🐠")')).toEqual([2])
    expect(await found('$.name ? (@ like_regex "ctd.?[78]" flag "i")')).toEqual([0])
    expect(await found('$.name ? (@ like_regex ".*CTD.*" flag "i")')).toEqual([0, 1, 3])
    expect(await found('$.name ? (@ > "a")')).toEqual([1])
  })

  // known failure: large-numbers
  it('by numbers as they are written, and by nothing but their own type', async () => {
    const values = [0.3, 2 ** 53 + 2, '5', null, true, 1e21]
    for (const [n, value] of values.entries()) await add(place.at, { n, value })
    expect(await found('$.value ? (@ == 0.1 + 0.2)')).toEqual([0])
    expect(await found('$.value ? (@ == 9007199254740994)')).toEqual([1])
    expect(await found('$.value ? (@ >= 5)')).toEqual([1, 5])
    expect(await found('$.value ? (@ == "5")')).toEqual([2])
    expect(await found('$.value ? (@ == null)')).toEqual([3])
    expect(await found('$.value ? ((@ == 5) is unknown)')).toEqual([2, 4])
  })

  it('schema and entity are part of the content', async () => {
    await add(place.at, { n: 1 })
    await add(place.at, { n: 2 }, { entity: 'urn:example:other' })
    expect(await found(`$ ? (@."$schema" == "${SCHEMA}")`)).toEqual([1, 2])
    expect(await found(`$ ? (@."$entity" == "${ENTITY}")`)).toEqual([1])
  })

  it('together with everything else that a query asks', async () => {
    for (let n = 0; n < 8; n++) await add(place.at, { n, odd: n % 2 === 1 })
    await add(place.at, { n: 9, odd: true }, { entity: 'urn:example:other' })
    const query = { entity: ENTITY, contentPath: '$.n ? (@ > 2)', filter: 'content.odd = true' }
    const listed = await allAspects(place.at, { ...query, includeContent: false })
    expect(listed).toHaveLength(3)
    expect(listed.every(({ content }) => content === undefined)).toBe(true)
  })

  it.each(['valid_from', 'entity'])('by %s, page by page, undisturbed by what comes', async (orderBy) => {
    const fill = async (from: number) => {
      for (let n = from; n < from + 9; n++) await add(place.at, { n })
    }
    await fill(0)
    const seen: unknown[] = []
    const list = (cursor?: string) => {
      const query = { contentPath: '$.n ? (@ % 2 == 1)', orderBy, limit: 2, ...(cursor && { cursor }) }
      return place.at.aspects.list(aspectQuery(query), {})
    }
    for await (const page of pagesOf(list)) {
      expect(page.items.length).toBeLessThanOrEqual(2)
      seen.push(...page.items.map(({ content }) => content?.['n']))
      if (seen.length === 2) await fill(20)
    }
    expect(seen.sort()).toEqual([1, 3, 5, 7])
  })

  it('as of a time', async () => {
    await update(place.at, { level: 'raw' })
    const { validFrom } = await update(place.at, { level: 'checked' })
    const contentPath = '$.level ? (@ == "raw")'
    const atTime = timestamp(micros(validFrom) - 1)
    expect(await allAspects(place.at, { contentPath })).toHaveLength(0)
    expect(await allAspects(place.at, { contentPath, atTime })).toHaveLength(1)
  })

  it('collections by what their names are', async () => {
    const ivcap = new Ivcap(place.at, { stateDir: false })
    for (const name of ['CTD 7', 'CTD 8', 'Ocean colour']) await ivcap.createCollection({ name })
    const named = async (nameFilter: string) => {
      const listed = await ivcap.listCollections({ nameFilter }).toArray()
      return listed.map(({ name }) => name).sort()
    }
    expect(await named('== "CTD 8"')).toEqual(['CTD 8'])
    expect(await named('starts with "CTD"')).toEqual(['CTD 7', 'CTD 8'])
    expect(await named('like_regex ".*ocean.*" flag "i"')).toEqual(['Ocean colour'])
  })

  it.each(['$.a ? (@ = 1)', '$.', '$.a ? (@ == "x)', '@.a', '$.a like_regex "("', '$.a.count()'])(
    '%s is a wrong path, and says where',
    async (contentPath) => {
      const list = place.at.aspects.list(aspectQuery({ contentPath }), {})
      const { message } = await expectError(list, 'invalid-argument', 'contentPath')
      expect(message).toMatch(/character \d+/)
    },
  )

  it.each(['$.a ? (@ > $least)', '$.a.datetime()', '$.a like_regex "(a)\\\\1"'])(
    '%s is said to be unsupported',
    async (contentPath) => {
      await expectError(place.at.aspects.list(aspectQuery({ contentPath }), {}), 'unsupported', 'contentPath')
    },
  )

  it('a cursor serves its path alone', async () => {
    for (let n = 0; n < 3; n++) await add(place.at, { n })
    const { aspects } = place.at
    const { cursor = '' } = await aspects.list(aspectQuery({ limit: 1, contentPath: '$.n' }), {})
    const other = aspectQuery({ limit: 1, contentPath: '$.n[0]', cursor })
    await expectError(aspects.list(other, {}), 'invalid-argument', 'cursor')
  })
}
