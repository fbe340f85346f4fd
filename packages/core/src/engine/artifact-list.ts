import { IvcapError } from '../model/errors.js'
import type { ArtifactRecord } from '../model/records.js'
import { type Clock, type Timestamp, timestamp } from '../model/time.js'
import type { ArtifactQuery, AspectQuery, AspectStore, OpOptions, Page } from '../ports.js'
import { decodeCursor, encodeCursor } from '../query/cursor.js'
import { pageOf } from '../query/page.js'
import { artifactOrder } from '../rules/artifact-order.js'
import { ARTIFACT_SCHEMA } from '../rules/provenance.js'
import { recordIn } from './artifact-record.js'

const SCAN_PAGE = 50

/** By time of creation, newest first, it is a listing of the records' schema; any other order reads all of them. */
export async function listArtifacts(
  aspects: AspectStore,
  clock: Clock,
  q: ArtifactQuery,
  o: OpOptions,
): Promise<Page<ArtifactRecord>> {
  if (q.filter !== undefined) {
    throw new IvcapError('unsupported', 'filter is not supported by this store yet: list without it', {
      argument: 'filter',
    })
  }
  const { fields } = artifactOrder(q.orderBy)
  const indexed = fields.length === 1 && fields[0] === 'created_at' && q.orderDesc
  return await (indexed ? newestFirst(aspects, q, o) : scan(aspects, clock, q, o))
}

async function newestFirst(
  aspects: AspectStore,
  q: ArtifactQuery,
  o: OpOptions,
): Promise<Page<ArtifactRecord>> {
  const page = await aspects.list(records(q.limit, q.atTime, q.cursor), o)
  const items = page.items.flatMap((aspect) => recordIn(aspect) ?? [])
  return { items, ...(page.cursor !== undefined && { cursor: page.cursor }) }
}

async function scan(
  aspects: AspectStore,
  clock: Clock,
  q: ArtifactQuery,
  o: OpOptions,
): Promise<Page<ArtifactRecord>> {
  const { fields, keyOf } = artifactOrder(q.orderBy)
  const direction = q.orderDesc ? 'DESC' : 'ASC'
  const query = { fields, direction, atTime: q.atTime }
  const position = q.cursor === undefined ? undefined : decodeCursor(query, q.cursor)
  let newest = q.atTime ?? position?.atTime ?? timestamp(clock())
  const all = async function* () {
    let cursor: string | undefined
    do {
      const page = await aspects.list(records(SCAN_PAGE, position?.atTime ?? q.atTime, cursor), o)
      for (const aspect of page.items) {
        if (position === undefined && q.atTime === undefined && (aspect.validFrom ?? '') > newest)
          newest = aspect.validFrom ?? newest
        const record = recordIn(aspect)
        if (record !== undefined) yield record
      }
      cursor = page.cursor
    } while (cursor !== undefined)
  }
  const page = await pageOf(all(), keyOf, {
    direction,
    limit: q.limit,
    ...(position && { after: position.after }),
  })
  if (page.last === undefined) return { items: page.items }
  return { items: page.items, cursor: encodeCursor(query, { atTime: newest, after: page.last }) }
}

function records(limit: number, atTime: Timestamp | undefined, cursor: string | undefined): AspectQuery {
  return {
    schema: ARTIFACT_SCHEMA,
    orderBy: 'valid_from',
    orderDirection: 'DESC',
    includeContent: true,
    limit,
    ...(atTime !== undefined && { atTime }),
    ...(cursor !== undefined && { cursor }),
  }
}
