import { type ArtifactRecord, timestamp } from '@ivcap/core/driver'
import { micros } from '@ivcap/core/internal'
import { expect, it } from 'vitest'
import { allArtifacts, artifactQuery, told, upload } from '../support/artifacts.js'
import { add, allAspects, aspectQuery, update } from '../support/aspects.js'
import { expectError } from '../support/expect-error.js'
import { pagesOf } from '../support/pages.js'
import type { BackendPlace } from './place.js'

/** Filters work with every order, page size and time. The error of an invalid filter tells the position of the mistake. */
export function filters(place: BackendPlace): void {
  const names = async (filter: string, orderBy?: string) => {
    const listed = await allArtifacts(place.at, { filter, orderDesc: false, ...(orderBy && { orderBy }) })
    return listed.map((artifact) => artifact.name)
  }

  it('artifacts by their fields', async () => {
    await upload(place.at, 'x', { name: 'Scott.txt', mimeType: 'text/plain' })
    await upload(place.at, 'x'.repeat(2000), { name: 'Scott.jpg', mimeType: 'image/jpeg' })
    await upload(place.at, 'x'.repeat(1000), { name: 'anna.jpg', mimeType: 'image/jpeg' })
    const all = ['Scott.txt', 'Scott.jpg', 'anna.jpg']
    expect(await names("name ~= 'Scott%'")).toEqual(['Scott.txt', 'Scott.jpg'])
    expect(await names("name ~= 'cott'")).toEqual(['Scott.txt', 'Scott.jpg'])
    expect(await names("name ~= '%.jpg'", 'name')).toEqual(['Scott.jpg', 'anna.jpg'])
    expect(await names("size > 1000 and mime-type = 'image/jpeg'")).toEqual(['Scott.jpg'])
    expect(await names("size ge 1000 AND mime_type eq 'image/jpeg'")).toEqual(['Scott.jpg', 'anna.jpg'])
    expect(await names("not (size > 1000 or name = 'anna.jpg')")).toEqual(['Scott.txt'])
    expect(await names("name = 'SCOTT.TXT'")).toEqual([])
    expect(await names("status = 'ready'")).toEqual(all)
    expect(await names('policy = null')).toEqual(all)
    expect(await names("policy != 'urn:ivcap:policy:a'")).toEqual([])
  })

  it('artifacts by when they were made', async () => {
    const made: ArtifactRecord[] = []
    for (const name of ['a', 'b', 'c']) made.push(await upload(place.at, name, { name }))
    const [, second] = made.map(({ createdAt }) => told(createdAt, 'createdAt'))
    expect(await names(`created-at >= '${second}'`)).toEqual(['b', 'c'])
    expect(await names(`created-at < '${second}'`)).toEqual(['a'])
  })

  it('aspects by their fields and by what they say', async () => {
    const policy = 'urn:example:schema:policy.1'
    await add(place.at, { n: 1, tag: { name: "O'Brien" } })
    await add(place.at, { n: 2, tag: { name: 'Reef' }, done: true }, { schema: policy })
    await add(place.at, { n: '3', tag: 'Reef' }, { entity: 'urn:example:other' })
    const found = async (filter: string, orderBy = 'valid_from') => {
      const listed = await allAspects(place.at, { filter, orderBy, orderDirection: 'ASC' })
      return listed.map(({ content }) => content?.['n'])
    }
    expect(await found("entity = 'urn:example:other'")).toEqual(['3'])
    expect(await found("schema ~= 'urn:example:schema:pol%'")).toEqual([2])
    expect(await found("content.tag.name = 'O''Brien'")).toEqual([1])
    expect(await found('content.n < 3')).toEqual([1, 2])
    expect(await found('content.n != 1', 'schema,entity')).toEqual([2, '3'])
    expect(await found('content.done = true')).toEqual([2])
    expect(await found('content.done = null')).toEqual([1, '3'])
    expect(await found('not content.done = true')).toEqual([])
    const bare = await allAspects(place.at, { filter: 'content.n = 2', includeContent: false })
    expect(bare.map(({ content, schema }) => [content, schema])).toEqual([[undefined, policy]])
  })

  it.each(['valid_from', 'schema'])('select by %s what was there when the listing began', async (orderBy) => {
    const fill = async (from: number) => {
      for (let n = from; n < from + 9; n++) await add(place.at, { n, odd: n % 2 === 1 })
    }
    await fill(0)
    const seen: unknown[] = []
    const list = (cursor?: string) => {
      const query = { filter: 'content.odd = true', orderBy, limit: 2, ...(cursor && { cursor }) }
      return place.at.aspects.list(aspectQuery(query), {})
    }
    for await (const page of pagesOf(list)) {
      expect(page.items.length).toBeLessThanOrEqual(2)
      seen.push(...page.items.map(({ content }) => content?.['n']))
      if (seen.length === 2) await fill(20)
    }
    expect(seen.sort()).toEqual([1, 3, 5, 7])
  })

  it.each(['created-at', 'name'])(
    'select artifacts by %s, whatever is uploaded meanwhile',
    async (orderBy) => {
      const fill = async (of: string) => {
        for (let i = 0; i < 7; i++) await upload(place.at, 'x', { name: `${of}-${i}${i % 2 ? '.odd' : ''}` })
      }
      await fill('first')
      const seen: unknown[] = []
      const list = (cursor?: string) => {
        const query = { filter: "name ~= '%.odd'", orderBy, limit: 1, ...(cursor && { cursor }) }
        return place.at.artifacts.list(artifactQuery(query), {})
      }
      for await (const page of pagesOf(list)) {
        seen.push(...page.items.map(({ name }) => name))
        if (seen.length === 1) await fill('later')
      }
      expect(seen).toEqual(['first-5.odd', 'first-3.odd', 'first-1.odd'])
    },
  )

  it('select as of a time', async () => {
    await update(place.at, { level: 'raw' })
    const { validFrom } = await update(place.at, { level: 'checked' })
    const found = (level: string, atTime?: string) =>
      allAspects(place.at, { filter: `content.level = '${level}'`, ...(atTime && { atTime }) })
    expect(await found('raw')).toHaveLength(0)
    expect(await found('raw', timestamp(micros(validFrom) - 1))).toHaveLength(1)
    expect(await found('checked', validFrom)).toHaveLength(1)
  })

  it.each(["name ~~ 'x'", 'name', "colour = 'red'", "size > 'x'", "(name = 'a'", "name = 'a"])(
    '%s is a wrong filter, and says where',
    async (filter) => {
      const { artifacts, aspects } = place.at
      const error = await expectError(
        artifacts.list(artifactQuery({ filter }), {}),
        'invalid-argument',
        'filter',
      )
      expect(error.message).toMatch(/character \d+/)
      await expectError(aspects.list(aspectQuery({ filter }), {}), 'invalid-argument', 'filter')
    },
  )

  it('a cursor serves its filter alone', async () => {
    for (const name of ['a', 'b', 'c']) await upload(place.at, name, { name })
    const { artifacts } = place.at
    const { cursor = '' } = await artifacts.list(artifactQuery({ limit: 1, filter: 'size < 5' }), {})
    const other = artifactQuery({ limit: 1, filter: 'size < 6', cursor })
    await expectError(artifacts.list(other, {}), 'invalid-argument', 'cursor')
  })
}
