import { beforeEach, describe, expect, it } from 'vitest'
import { damageable, NOTE, recordKey, TAG } from './support/damage.js'

let place: ReturnType<typeof damageable>
beforeEach(() => {
  place = damageable()
})
const upload = (name: string, content = `content of ${name}`) =>
  place.ivcap.uploadArtifact({ name, content, contentType: 'text/plain' })
const names = async (o: Parameters<typeof place.ivcap.listArtifacts>[0] = {}) =>
  (
    await place
      .view()
      .listArtifacts({ limit: Infinity, ...o })
      .toArray()
  )
    .map(({ name }) => name)
    .sort()
const leftOut = () => place.events.filter(({ kind }) => kind === 'left-out').map(({ resource }) => resource)
const ENTITY = 'urn:test:entity:1'
const addTag = (n: number) => place.ivcap.addAspect(ENTITY, { $schema: TAG, n })
const tags = async (schema = TAG) =>
  (await place.view().listAspects({ entity: ENTITY, schema, limit: Infinity }).toArray()).map(({ id }) => id)

/** What a power cut, a bad block or another program may leave where a record was. */
const GARBAGE: readonly [string, (text: string) => string | Uint8Array][] = [
  ['nothing', () => ''],
  ['half of it', (text) => text.slice(0, text.length / 2)],
  ['text that is not JSON', () => '<html>'],
  ['JSON of another shape', () => '[1, 2]'],
  ['bytes that are not UTF-8', () => Uint8Array.of(0x7b, 0xff, 0xfe, 0x7d)],
  ['NULs', (text) => new Uint8Array(text.length)],
  [
    'a time at no edge of the calendar',
    (text) => text.replace(/"valid_from": "[^"]*"/, '"valid_from": "2024-13-45"'),
  ],
  ['no time', (text) => text.replace(/"valid_from": "[^"]*",/, '')],
]

describe.each(GARBAGE)('a record that became %s', (_, damage) => {
  const ruin = (id: string) => {
    const key = recordKey(place.blobs, id)
    place.write(key, damage(new TextDecoder().decode(place.blobs.read(key).bytes)))
    return key
  }
  const recordOf = async (artifact: { id: string }) => {
    const [record] = await place.ivcap.listAspects({ entity: artifact.id, limit: 1 }).toArray()
    return record?.id ?? ''
  }

  it('of an artifact: lists leave it out and tell, the artifact itself is integrity', async () => {
    const bad = await upload('bad')
    await upload('good')
    const key = ruin(await recordOf(bad))
    expect(await names()).toEqual(['good'])
    expect(leftOut()).toHaveLength(1)
    expect(await names({ orderBy: 'name' })).toEqual(['good'])
    expect(await names({ filter: "name ~= 'oo'" })).toEqual(['good'])
    await expect(place.view().getArtifact(bad.id)).rejects.toMatchObject({
      code: 'integrity',
      resource: bad.id,
    })
    await expect(place.view().getArtifact(bad.id)).rejects.toThrow(key)
    expect(await place.view().verify()).toMatchObject([
      { kind: 'unreadable-record', resource: key, repairable: false },
    ])
    expect(place.blobs.keys()).toContain(key)
  })

  it('added: lists of its entity go on without it, an update is not blocked', async () => {
    const [bad, good] = [await addTag(1), await addTag(2)]
    ruin(bad.id)
    expect(await tags()).toEqual([good.id])
    await expect(place.view().getAspect(bad.id)).rejects.toMatchObject({ code: 'integrity' })
    const update = await place.view().updateAspect(ENTITY, { $schema: TAG, n: 3 })
    expect(await tags()).toEqual([update.id])
    expect(update.replaces).toBe(good.id)
  })

  it('of an update: lists leave it out, and the next update takes its place', async () => {
    const bad = await place.ivcap.updateAspect(ENTITY, { $schema: TAG, n: 1 })
    const other = await place.ivcap.addAspect(ENTITY, { $schema: NOTE, n: 2 })
    ruin(bad.id)
    expect(await tags()).toEqual([])
    expect(await tags('urn:test:schema:%')).toEqual([other.id])
    expect(leftOut().length).toBeGreaterThan(0)
    await expect(place.view().getAspect(bad.id)).rejects.toMatchObject({ code: 'integrity' })
    const update = await place.view().updateAspect(ENTITY, { $schema: TAG, n: 3 })
    expect(update.replaces).toBe(bad.id)
    expect(await tags()).toEqual([update.id])
  })
})

it('a record of another id is damage', async () => {
  const [bad, good] = [await addTag(1), await addTag(2)]
  const text = place.blobs.read(recordKey(place.blobs, good.id)).bytes
  place.write(recordKey(place.blobs, bad.id), text)
  expect(await tags()).toEqual([good.id])
  await expect(place.view().getAspect(bad.id)).rejects.toMatchObject({ code: 'integrity' })
})

it('a record whose content describes no artifact is left out of lists, and told', async () => {
  await upload('good')
  const bad = await upload('bad')
  const [aspect] = await bad.metadata().toArray()
  const key = recordKey(place.blobs, aspect?.id ?? '')
  const text = new TextDecoder().decode(place.blobs.read(key).bytes)
  place.write(key, text.replace(/"size": \d+/, '"size": 1e300'))
  expect(await names()).toEqual(['good'])
  expect(leftOut()).toEqual([aspect?.id])
  await expect(place.view().getArtifact(bad.id)).rejects.toMatchObject({ code: 'integrity' })
})

it('a closing that cannot be read: its record is left out, and asked for directly it says so', async () => {
  const [bad, good] = [await addTag(1), await addTag(2)]
  const crashed = place.blobs.keys('cur/').filter((key) => key.includes('!') === false && key.includes('tag'))
  await bad.retract()
  const closing = place.blobs.keys('id/').find((key) => key.endsWith('.closed')) ?? ''
  place.write(closing, '{')
  // the writer died before it moved the entries
  for (const key of crashed) place.write(key, '')
  for (const key of crashed) place.write(`${key}!11111111-1111-4111-8111-111111111111`, '')
  expect(await tags()).toEqual([good.id])
  await expect(place.view().getAspect(bad.id)).rejects.toMatchObject({ code: 'integrity', resource: closing })
})

describe('bytes of another size than the record says', () => {
  const bytesKey = () => place.blobs.keys('artifacts/')[0] ?? ''
  const sizes: readonly [string, number][] = [
    ['none', 0],
    ['fewer', 400],
    ['more', 1200],
  ]
  it.each(sizes)('%s: are never served, whole or in part', async (_, size) => {
    const { id } = await upload('a', 'x'.repeat(1000))
    place.write(bytesKey(), new Uint8Array(size))
    const artifact = await place.view().getArtifact(id)
    const damage = { code: 'integrity', resource: id }
    await expect(artifact.bytes()).rejects.toMatchObject(damage)
    await expect(artifact.bytes()).rejects.toThrow(/1000 .*restore/)
    for (const range of [{ start: 0, end: 10 }, { start: 900 }])
      await expect(
        place
          .view()
          .getArtifact(id)
          .then((a) => new Response(a.asStream({ range })).arrayBuffer()),
      ).rejects.toMatchObject(damage)
    expect(await place.view().verify()).toMatchObject([{ kind: 'wrong-size', resource: id }])
  })

  it('of the same size: only the digest tells, and verify() may leave it out', async () => {
    const { id } = await upload('a', 'x'.repeat(1000))
    place.write(bytesKey(), 'y'.repeat(1000))
    expect(await place.view().verify()).toMatchObject([
      { kind: 'wrong-digest', resource: id, repairable: false },
    ])
    expect(await place.view().verify({ digests: false })).toEqual([])
  })

  it('gone: verify() and a read say so, lists go on', async () => {
    const { id } = await upload('a')
    place.blobs.delete(bytesKey())
    expect(await names()).toEqual(['a'])
    await expect(
      place
        .view()
        .getArtifact(id)
        .then((a) => a.bytes()),
    ).rejects.toMatchObject({ code: 'integrity' })
    expect(await place.view().verify()).toMatchObject([{ kind: 'missing-content', resource: id }])
  })
})
