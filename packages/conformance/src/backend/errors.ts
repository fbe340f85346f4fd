import { artifactUrn, aspectUrn } from '@ivcap/core/driver'
import { fileUrn } from '@ivcap/core/internal'
import { expect, it } from 'vitest'
import { artifactQuery, upload } from '../support/artifacts.js'
import { add, aspectQuery, draft, ENTITY, SCHEMA } from '../support/aspects.js'
import { someBytes } from '../support/bytes.js'
import { expectError } from '../support/expect-error.js'
import { transfer } from '../support/transfer.js'
import type { BackendPlace } from './place.js'

const NOBODY = '00000000-0000-4000-8000-000000000000'

/** Each failure has the code of its kind, and its message names the subject. */
export function errors(place: BackendPlace): void {
  it.each([artifactUrn(NOBODY), fileUrn('/etc/passwd'), fileUrn('/no/such/file')])(
    '%s is not found here',
    async (id) => {
      const error = await expectError(place.at.artifacts.stat(id, {}), 'not-found')
      expect(error.message).toContain(id)
      expect(error.resource).toBe(id)
      expect(error.retryable).toBe(false)
      await expectError(place.at.artifacts.read(id, {}), 'not-found')
      expect(place.at.artifacts.contains?.(id) ?? false).toBe(false)
      expect(await place.at.artifacts.localPath?.(id)).toBeUndefined()
    },
  )

  it('an aspect that does not exist is not found', async () => {
    const id = aspectUrn(NOBODY)
    const error = await expectError(place.at.aspects.get(id, {}), 'not-found')
    expect(error.message).toContain(id)
    expect(error.resource).toBe(id)
    await expectError(place.at.aspects.retract(id, {}), 'not-found')
  })

  it('an etag of other bytes is a failed precondition', async () => {
    const { id } = await upload(place.at, someBytes(100))
    const { etag = '' } = await upload(place.at, someBytes(100, 2))
    await expectError(place.at.artifacts.read(id, { ifMatch: etag }), 'precondition-failed')
    const range = { start: 3, end: 5 }
    await expectError(place.at.artifacts.read(id, { range, ifMatch: 'nonsense' }), 'precondition-failed')
  })

  it('an unknown field to order by', async () => {
    const error = await expectError(
      place.at.aspects.list(aspectQuery({ orderBy: 'valid_from,colour' }), {}),
      'invalid-argument',
      'orderBy',
    )
    expect(error.message).toContain('colour')
    await expectError(
      place.at.artifacts.list(artifactQuery({ orderBy: 'colour' }), {}),
      'invalid-argument',
      'orderBy',
    )
  })

  it('a cursor that is damaged, or of another query', async () => {
    for (let n = 0; n < 3; n++) await add(place.at, { n })
    const { cursor = '' } = await place.at.aspects.list(aspectQuery({ entity: ENTITY, limit: 1 }), {})
    expect(cursor).not.toBe('')
    for (const q of [
      { entity: ENTITY, cursor: `x${cursor}` },
      { entity: ENTITY, cursor: 'nonsense' },
      { entity: `${ENTITY}0`, cursor },
      { entity: ENTITY, schema: SCHEMA, cursor },
      { entity: ENTITY, filter: 'content.n >= 0', cursor },
      { entity: ENTITY, contentPath: '$.n', cursor },
      { entity: ENTITY, atTime: '2200-01-01T00:00:00.000000Z', cursor },
      { entity: ENTITY, orderBy: 'schema', cursor },
      { entity: ENTITY, orderDirection: 'ASC' as const, cursor },
    ]) {
      await expectError(
        place.at.aspects.list(aspectQuery({ ...q, limit: 1 }), {}),
        'invalid-argument',
        'cursor',
      )
    }
    const { artifacts } = place.at
    await expectError(artifacts.list(artifactQuery({ cursor: 'nonsense' }), {}), 'invalid-argument', 'cursor')
  })

  it('methods need no `this`: stores of several places can be mixed', async () => {
    const { create, stat, read, list } = place.at.artifacts
    const { assert, get, list: listAspects, retract } = place.at.aspects
    const source = { size: 0, replayable: true, open: () => new Blob([]).stream() }
    const { id } = await create(source, { mimeType: 'text/plain' }, transfer)
    await stat(id, {})
    await (await read(id, {})).body.cancel()
    expect((await list(artifactQuery(), {})).items).toHaveLength(1)
    const aspect = await assert(draft({ n: 1 }), 'add', {})
    await get(aspect.id, {})
    expect((await listAspects(aspectQuery({ entity: ENTITY }), {})).items).toHaveLength(1)
    await retract(aspect.id, {})
  })
}
