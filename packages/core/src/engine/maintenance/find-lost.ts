import { emit } from '../../model/events.js'
import type { AspectRecord } from '../../model/records.js'
import type { Urn } from '../../model/urn.js'
import type { OpOptions } from '../../ports/index.js'
import { ARTIFACT_SCHEMAS } from '../../rules/provenance.js'
import type { Engine } from '../context.js'
import { BY_SCHEMA } from '../index/entries.js'
import { listEntries } from '../index/pages.js'
import { pairOf } from '../keys.js'
import { resolveOrLeaveOut } from '../queries/resolve.js'
import { withEnd } from '../records/find-by-id.js'

/** A look-up by id that finds nothing must stay cheap: among more artifacts than this only `repair()` searches. */
const MOST_PAGES = 10
const PAGE = 1000

/**
 * The aspect that records an artifact whose entry by entity is lost, found by its entry by schema: names of entries tell the
 * entity, so that a LIST shows a thousand of them. Searches the newest 10,000.
 */
export async function findLost(engine: Engine, id: Urn, o: OpOptions): Promise<AspectRecord | undefined> {
  for (const plain of ARTIFACT_SCHEMAS) {
    const { entity, schema } = pairOf(id, plain)
    let after = ''
    for (let pages = 0; pages < MOST_PAGES; pages++) {
      const place = { tense: 'cur', scope: BY_SCHEMA, schema } as const
      const { entries, through } = await listEntries(engine.blobs, place, after, PAGE, o)
      for (const entry of entries.filter(({ pair }) => pair.entity === entity)) {
        const found = await resolveOrLeaveOut(engine, entry, undefined, o)
        if (found?.record.entity !== id) continue
        const message = `The index entry of ${id} by entity is lost: call repair() to rebuild it`
        emit({ kind: 'fallback', message, resource: id }, engine.onEvent, o.onEvent)
        return withEnd(found.record, found.end)
      }
      if (through === undefined) break
      after = through
    }
  }
  return undefined
}
