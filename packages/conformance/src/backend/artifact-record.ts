import { createHash } from 'node:crypto'
import { ARTIFACT_SCHEMA, COLLECTION_ITEM_SCHEMA, parseTimestamp } from '@ivcap/core/internal'
import { expect, it } from 'vitest'
import { allArtifacts, told, upload } from '../support/artifacts.js'
import { allAspects } from '../support/aspects.js'
import { collect, someBytes, streamOf } from '../support/bytes.js'
import { fileOf, uploadFile } from '../support/files.js'
import type { BackendPlace } from './place.js'

const POLICY = 'urn:ivcap:policy:7f3c9d50-6a52-4d0e-9b4f-0c3c7d0e7c11'
const COLLECTION = 'urn:ivcap:collection:reef-7'

/** The record of an artifact, which must be the same from every operation. */
export function artifactRecord(place: BackendPlace): void {
  const bytes = someBytes(10_007)
  const sha256 = createHash('sha256').update(bytes).digest('hex')

  it('has all that the upload said', async () => {
    const record = await upload(place.at, bytes, { name: 'reef.nc', mimeType: 'application/x-netcdf' })
    expect(record).toMatchObject({
      name: 'reef.nc',
      status: 'ready',
      size: bytes.byteLength,
      mimeType: 'application/x-netcdf',
    })
    expect(told(record.etag, 'etag')).not.toBe('')
    expect(parseTimestamp(told(record.createdAt, 'createdAt'))).toBe(record.createdAt)
  })

  // known failure: listed-not-readable
  it('is the same from create, stat and read, and agrees with the list', async () => {
    const created = await upload(place.at, bytes, { name: 'reef.nc', policy: POLICY })
    expect(await place.at.artifacts.stat(created.id, {})).toEqual(created)
    const { record, body } = await place.at.artifacts.read(created.id, {})
    await body.cancel()
    expect(record).toEqual(created)
    const [listed] = await allArtifacts(place.at)
    expect(created).toMatchObject({ ...listed })
  })

  it('has an etag that holds for content and range, and is another for other bytes', async () => {
    const { id, etag } = await upload(place.at, bytes)
    const range = { start: 5, end: 9 }
    const { record, body } = await place.at.artifacts.read(id, { range, ifMatch: told(etag, 'etag') })
    expect(record.etag).toBe(etag)
    expect(await collect(body)).toHaveLength(4)
    expect((await upload(place.at, someBytes(10_007, 2))).etag).not.toBe(etag)
  })

  const { digest, recordsUploads } = place.capabilities
  it(`${digest === 'none' ? 'has no' : 'has the'} SHA-256 of bytes that came as a stream`, async () => {
    const { id } = await upload(place.at, streamOf(bytes))
    const record = await place.at.artifacts.stat(id, {})
    expect(record.sha256).toBe(digest === 'none' ? undefined : sha256)
  })

  it(`${digest === 'all' ? 'has the' : 'has no'} SHA-256 of a file`, async () => {
    const { id } = await uploadFile(place.at, await fileOf(bytes))
    const record = await place.at.artifacts.stat(id, {})
    expect(record.sha256).toBe(digest === 'all' ? sha256 : undefined)
  })

  it('keeps the policy', async () => {
    const { id } = await upload(place.at, bytes, { policy: POLICY })
    expect((await place.at.artifacts.stat(id, {})).policy).toBe(POLICY)
  })

  if (recordsUploads) {
    it('is an aspect of the artifact too', async () => {
      const { id } = await upload(place.at, bytes, { name: 'reef.nc', mimeType: 'application/x-netcdf' })
      const records = await allAspects(place.at, { entity: id, schema: ARTIFACT_SCHEMA })
      expect(records).toHaveLength(1)
      expect(records[0]?.content).toMatchObject({
        $schema: ARTIFACT_SCHEMA,
        name: 'reef.nc',
        size: bytes.byteLength,
        'mime-type': 'application/x-netcdf',
      })
    })

    it('becomes an item of the collection that the upload names', async () => {
      const { id } = await upload(place.at, bytes, { collection: COLLECTION })
      const items = await allAspects(place.at, { entity: COLLECTION })
      expect(items.map((i) => i.content)).toEqual([
        { $schema: COLLECTION_ITEM_SCHEMA, collection: COLLECTION, item: id },
      ])
    })
  } else {
    it('is no aspect of this backend, whose artifacts report elsewhere', async () => {
      await upload(place.at, bytes, { collection: COLLECTION })
      expect(await allAspects(place.at)).toEqual([])
    })
  }
}
