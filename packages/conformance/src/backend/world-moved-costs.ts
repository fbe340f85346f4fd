import { expect, it } from 'vitest'
import { allAspects, draft, idsOf } from '../support/aspects.js'
import type { BackendPlace } from './place.js'

const MB = 1_000_000
const COUNT = 6

/** Queries and contents that cost more than they seem to cost. */
export function costs(place: BackendPlace): void {
  it.each(['valid_from', 'entity'])(
    `large aspects are listed in pages that can be read, by %s`,
    { timeout: 300_000 },
    async (orderBy) => {
      const written = []
      const schema = `urn:example:schema:large-by-${orderBy}.1`
      for (let n = 0; n < COUNT; n++) {
        const content = { n, text: 'x'.repeat(4 * MB) }
        written.push(await place.at.aspects.assert(draft(content, { schema }), 'add', {}))
      }
      const query = { schema, orderBy, orderDirection: 'DESC', includeContent: true, limit: 50 } as const
      const first = await place.at.aspects.list(query, {})
      // A page ends with the record that exceeds 8 MiB of content.
      expect(first.items.length).toBe(3)
      const listed = await allAspects(place.at, query)
      expect(listed).toHaveLength(COUNT)
      expect(new Set(idsOf(listed))).toEqual(new Set(idsOf(written)))
    },
  )

  it('what costs more in a query than its length finds what it should', { timeout: 300_000 }, async () => {
    const schema = 'urn:example:schema:costly.1'
    const [letters, digits] = ['a'.repeat(300_000), '1'.repeat(60_000)]
    await place.at.aspects.assert(
      draft({ letters: `${letters}b`, digits: `${digits}x` }, { schema }),
      'add',
      {},
    )
    const count = async (of: { readonly filter?: string; readonly contentPath?: string }) =>
      (await allAspects(place.at, { schema, ...of })).length
    const pattern = 'a'.repeat(2000)
    expect(await count({ filter: `content.letters ~= '%${pattern}b%'` })).toBe(1)
    expect(await count({ filter: `content.letters ~= '%${pattern}_c%'` })).toBe(0)
    expect(await count({ contentPath: '$.digits.double()' })).toBe(0)
    expect(await count({ contentPath: '$.digits ? (@ like_regex "^(1+)+x$")' })).toBe(1)
  })
}
