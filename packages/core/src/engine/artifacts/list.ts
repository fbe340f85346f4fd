import type { ArtifactRecord, AspectRecord } from '../../model/records.js'
import { type Timestamp, timestamp } from '../../model/time.js'
import type { ArtifactQuery, AspectQuery, AspectStore, OpOptions, Page } from '../../ports/index.js'
import { decodeCursor, encodeCursor } from '../../query/cursor.js'
import { artifactFilter } from '../../query/filter/index.js'
import { compareKeys, type SortKey } from '../../query/order.js'
import { pageOf } from '../../query/page.js'
import { PageProgress } from '../../query/page-progress.js'
import { WorkBudget } from '../../query/work.js'
import { artifactOrder } from '../../rules/artifact-order.js'
import { ARTIFACT_SCHEMA } from '../../rules/provenance.js'
import { type Engine, leaveOut } from '../context.js'
import { recordIn } from './record.js'

const SCAN_PAGE = 50

/** Lists artifacts. By creation time, newest first, it lists the aspects of one schema; any other order reads all of them. */
export async function listArtifacts(
  aspects: AspectStore,
  engine: Reader,
  q: ArtifactQuery,
  o: OpOptions,
): Promise<Page<ArtifactRecord>> {
  const fits = q.filter === undefined ? undefined : filterOf(q.filter, o)
  const { fields } = artifactOrder(q.orderBy)
  const indexed = fields.length === 1 && fields[0] === 'created_at' && q.orderDesc
  if (!indexed) return await scan(aspects, engine, q, fits, o)
  return await (fits === undefined
    ? newestFirst(aspects, engine, q, o)
    : newestThatFit(aspects, engine, q, fits, o))
}

type Reader = Pick<Engine, 'clock' | 'onEvent'>
type Fits = (record: ArtifactRecord) => Promise<boolean>

function filterOf(filter: string, { signal }: OpOptions): Fits {
  const [matches, budget] = [artifactFilter(filter), new WorkBudget({ signal })]
  return (record) => matches(record, budget)
}

async function newestFirst(
  aspects: AspectStore,
  engine: Reader,
  q: ArtifactQuery,
  o: OpOptions,
): Promise<Page<ArtifactRecord>> {
  const page = await aspects.list(records(q.limit, q.atTime, q.cursor), o)
  const items = page.items.flatMap((aspect) => recordOrLeaveOut(engine, aspect, o) ?? [])
  return { items, ...(page.cursor !== undefined && { cursor: page.cursor }) }
}

/**
 * Reads pages of records until this page is full. Its cursor contains the page of records at which it ended, and the key of the
 * last record taken. A page of records that has a cursor shows the state at the time of the first one. The first one has no
 * cursor: if it is read again, newer records may come first, which are skipped.
 */
async function newestThatFit(
  aspects: AspectStore,
  engine: Reader,
  { filter, atTime, limit, cursor }: ArtifactQuery,
  fits: Fits,
  o: OpOptions,
): Promise<Page<ArtifactRecord>> {
  const query = { filter, atTime, newest: true }
  const position = cursor === undefined ? undefined : decodeCursor(query, cursor)
  const [start, ...after] = position?.after ?? []
  const items: ArtifactRecord[] = []
  let at = typeof start === 'string' ? start : undefined
  const progress = new PageProgress()
  for (;;) {
    const page = await aspects.list(records(SCAN_PAGE, atTime, at), o)
    for (const [i, aspect] of page.items.entries()) {
      const key: SortKey = [aspect.validFrom ?? null, aspect.id]
      if (position !== undefined && compareKeys(key, after, 'DESC') <= 0) continue
      const record = recordOrLeaveOut(engine, aspect, o)
      if (record === undefined || !(await fits(record))) continue
      items.push(record)
      if (items.length < limit) continue
      const more = page.cursor !== undefined || i + 1 < page.items.length
      const last = { atTime: atTime ?? '', after: [at ?? null, ...key] }
      return { items, ...(more && { cursor: encodeCursor(query, last) }) }
    }
    if (page.cursor === undefined) return { items }
    progress.check(page.cursor, page.items)
    at = page.cursor
  }
}

async function scan(
  aspects: AspectStore,
  engine: Reader,
  q: ArtifactQuery,
  fits: Fits | undefined,
  o: OpOptions,
): Promise<Page<ArtifactRecord>> {
  const { fields, keyOf } = artifactOrder(q.orderBy)
  const direction = q.orderDesc ? 'DESC' : 'ASC'
  const query = { filter: q.filter, fields, direction, atTime: q.atTime }
  const position = q.cursor === undefined ? undefined : decodeCursor(query, q.cursor)
  let newest = q.atTime ?? position?.atTime ?? timestamp(engine.clock())
  const all = async function* () {
    let cursor: string | undefined
    const progress = new PageProgress()
    do {
      const page = await aspects.list(records(SCAN_PAGE, position?.atTime ?? q.atTime, cursor), o)
      for (const aspect of page.items) {
        if (position === undefined && q.atTime === undefined && (aspect.validFrom ?? '') > newest)
          newest = aspect.validFrom ?? newest
        const record = recordOrLeaveOut(engine, aspect, o)
        if (record !== undefined && (fits === undefined || (await fits(record)))) yield record
      }
      cursor = page.cursor
      if (cursor !== undefined) progress.check(cursor, page.items)
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

function recordOrLeaveOut(engine: Reader, aspect: AspectRecord, o: OpOptions): ArtifactRecord | undefined {
  const record = recordIn(aspect)
  if (record === undefined)
    leaveOut(engine, aspect.id, `${aspect.id} of ${aspect.entity} does not describe an artifact`, o)
  return record
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
