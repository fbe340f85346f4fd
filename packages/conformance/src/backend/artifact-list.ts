import { type ArtifactRecord, timestamp } from '@ivcap/core/driver'
import { micros } from '@ivcap/core/internal'
import { expect, it } from 'vitest'
import { allArtifacts, artifactQuery, told, upload } from '../support/artifacts.js'
import { idsOf } from '../support/aspects.js'
import { pagesOf } from '../support/pages.js'
import type { BackendPlace } from './place.js'

/** Listings of artifacts: newest first, in pages, and not affected by concurrent changes. */
export function artifactList(place: BackendPlace): void {
  const uploads = async (count: number, of = 'first') => {
    const records: ArtifactRecord[] = []
    for (let i = 0; i < count; i++) records.push(await upload(place.at, `${of} ${i}`, { name: `${of}-${i}` }))
    return records
  }

  it('of an empty place is one empty page', async () => {
    const page = await place.at.artifacts.list(artifactQuery(), {})
    expect(page.items).toEqual([])
    expect(page.cursor).toBeUndefined()
  })

  it('newest first, or oldest first', async () => {
    const ids = idsOf(await uploads(5))
    expect(idsOf(await allArtifacts(place.at))).toEqual([...ids].reverse())
    expect(idsOf(await allArtifacts(place.at, { orderDesc: false }))).toEqual(ids)
  })

  it('by name', async () => {
    for (const name of ['b', 'C', 'a', 'ä']) await upload(place.at, name, { name })
    const listed = await allArtifacts(place.at, { orderBy: 'name', orderDesc: false })
    expect(listed.map((a) => a.name)).toEqual(['C', 'a', 'b', 'ä'])
  })

  it.each([1, 2, 3, 6, 7, 50])(
    'in pages of %i: each once, none left out, no page too long',
    async (limit) => {
      const ids = idsOf(await uploads(6))
      const pages: (readonly string[])[] = []
      const list = (cursor?: string) =>
        place.at.artifacts.list(artifactQuery({ limit, ...(cursor && { cursor }) }), {})
      for await (const page of pagesOf(list)) pages.push(idsOf(page.items))
      expect(pages.flat()).toEqual([...ids].reverse())
      expect(pages.map((p) => p.length)).toEqual(
        Array.from({ length: Math.ceil(6 / limit) }, (_, i) => Math.min(limit, 6 - i * limit)),
      )
    },
  )

  it('shows what was there when it began, whatever is uploaded between its pages', async () => {
    const before = idsOf(await uploads(6))
    const seen: string[] = []
    let round = 0
    const list = (cursor?: string) =>
      place.at.artifacts.list(artifactQuery({ limit: 2, ...(cursor && { cursor }) }), {})
    for await (const page of pagesOf(list)) {
      seen.push(...idsOf(page.items))
      await uploads(2, `later ${round++}`)
    }
    expect(seen).toEqual([...before].reverse())
    expect(await allArtifacts(place.at)).toHaveLength(6 + 2 * round)
  })

  it('as of a time shows what was there then', async () => {
    const [first, second, third] = await uploads(3)
    const justBefore = (a: ArtifactRecord | undefined) =>
      timestamp(micros(told(a?.createdAt, 'createdAt')) - 1)
    const namesAt = async (atTime: string) => (await allArtifacts(place.at, { atTime })).map((a) => a.name)
    expect(await namesAt(justBefore(first))).toEqual([])
    expect(await namesAt(justBefore(second))).toEqual(['first-0'])
    expect(await namesAt(justBefore(third))).toEqual(['first-1', 'first-0'])
  })
}
