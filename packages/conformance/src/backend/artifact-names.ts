import { createHash } from 'node:crypto'
import { artifactUuid, pathOfFileUrn } from '@ivcap/core/internal'
import { describe, expect, it } from 'vitest'
import { allArtifacts, download, upload } from '../support/artifacts.js'
import { allAspects, idsOf } from '../support/aspects.js'
import { expectBytes, someBytes, streamOf } from '../support/bytes.js'
import { expectError } from '../support/expect-error.js'
import type { BackendPlace } from './place.js'

const ODD = [
  'with blanks in it',
  ' blanks around ',
  'Grüße 珊瑚 🐠.nc',
  'e\u0301 in two code points',
  'look-alikes \u2215 \u2044 \uff0f \uff3c \u2024\u2024',
  'percent %41 %2F %',
  'q?u=e#r&y;+',
  'quotes \' " `',
  '*:<>|$()[]{}~!',
  '-rf',
  'a'.repeat(200),
]

/** A name is returned unchanged, and must not give access to anything else, e.g. by path traversal. */
export function artifactNames(place: BackendPlace): void {
  // known failure: name-traversal
  it.each(ODD)('%j', async (name) => {
    const { id } = await upload(place.at, someBytes(3), { name })
    expect((await place.at.artifacts.stat(id, {})).name).toBe(name)
    expect((await allArtifacts(place.at)).map((a) => a.name)).toEqual([name])
    expectBytes(await download(place.at, id), someBytes(3))
  })

  if (place.capabilities.ids === 'uuid') describe('as labels', () => labels(place))
  else describe('as paths', () => paths(place))
}

function labels(place: BackendPlace): void {
  // known failure: name-traversal
  it.each(['../../etc/passwd', '/etc/passwd', 'a//b', 'a\\b', 'aspects/x', 'CON', 'n'.repeat(300)])(
    '%j is a label like any other',
    async (name) => {
      const { id } = await upload(place.at, someBytes(3), { name })
      expect(artifactUuid(id)).toBeDefined()
      expect((await place.at.artifacts.stat(id, {})).name).toBe(name)
    },
  )

  it('are borne by as many as like to', async () => {
    const first = await upload(place.at, 'first', { name: 'same' })
    const second = await upload(place.at, 'second', { name: 'same' })
    expect(second.id).not.toBe(first.id)
    expectBytes(await download(place.at, first.id), new TextEncoder().encode('first'))
    expect(await allArtifacts(place.at)).toHaveLength(2)
  })
}

function paths(place: BackendPlace): void {
  it('end the id, below folders that are made as needed', async () => {
    const { id } = await upload(place.at, 'x', { name: 'a/b c/ü.txt' })
    expect(pathOfFileUrn(id)).toMatch(/\/a\/b c\/ü\.txt$/)
  })

  it('are made up where none is given, different each time', async () => {
    const { id } = await upload(place.at, 'x')
    const other = await upload(place.at, 'x')
    expect(pathOfFileUrn(id)).toMatch(/\/[0-9a-f]{8}-[0-9a-f-]{27}$/)
    expect(other.id).not.toBe(id)
  })

  it.each([
    '',
    '.',
    '..',
    '../outside',
    'a/../../outside',
    'a/../b',
    './a',
    'a/./b',
    '/absolute',
    'a//b',
    'a/',
    'back\\slash',
    'nul\0byte',
    'aspects/x',
    'n'.repeat(300),
  ])('%j is refused, and leaves nothing', async (name) => {
    await expectError(upload(place.at, someBytes(3), { name }), 'invalid-argument', 'name')
    expect(await allArtifacts(place.at)).toEqual([])
    expect(await allAspects(place.at)).toEqual([])
  })

  it('of 8 uploads of one name at once one is there, whole', async () => {
    const contents = Array.from({ length: 8 }, (_, n) => someBytes(300_000, n + 1))
    const views = [place.at, await place.reopen()]
    await Promise.all(contents.map((c, n) => upload(views[n % 2] ?? place.at, streamOf(c), { name: 'same' })))
    const [only, ...others] = await allArtifacts(place.at)
    expect(others).toEqual([])
    const stored = Buffer.from(await download(place.at, only?.id ?? 'urn:x:y'))
    const winner = contents.filter((c) => stored.equals(c))
    expect(winner).toHaveLength(1)
    expect(only?.sha256).toBe(createHash('sha256').update(stored).digest('hex'))
  })

  it('that are taken: the later content takes the place of the earlier', async () => {
    const first = await upload(place.at, 'first', { name: 'same.txt' })
    const second = await upload(place.at, 'second', { name: 'same.txt' })
    expect(second.id).toBe(first.id)
    expect(second.etag).not.toBe(first.etag)
    expectBytes(await download(place.at, first.id), new TextEncoder().encode('second'))
    expect(idsOf(await allArtifacts(place.at))).toEqual([first.id])
  })
}
