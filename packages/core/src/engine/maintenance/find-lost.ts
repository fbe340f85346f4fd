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

/** Maximum pages of a search. A look-up by id that finds nothing must stay cheap: only `repair()` reads more entries. */
const MOST_PAGES = 10
const PAGE = 1000

/**
 * Finds the aspect that records an artifact if its entry by entity is lost. Searches the newest 10,000 entries by schema: their
 * names contain the entity, so one LIST covers a thousand of them.
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
