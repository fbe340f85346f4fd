/**
 * Checks a store and rebuilds its indexes. Source data, and the data derived from it:
 *
 * | source data | derived, rebuilt by `repair()` |
 * |---|---|
 * | `id/<uuid>/r` of added records, with its closing and notes | their entries in `cur/` and `past/` |
 * | slots `e/<entity>/<schema>/r/…` | their entries, and the pointers `id/<uuid>/r` to them |
 * | bytes at `artifacts/<uuid>` | |
 *
 * `repair()` writes derived keys and lost closings, and deletes only keys that it wrote itself. So it is idempotent and may run
 * concurrently with writers.
 */

import type { Problem } from '../../model/problems.js'
import type { Backend, OpOptions } from '../../ports/index.js'
import type { ArtifactLocator } from '../artifacts/read.js'
import type { Engine } from '../context.js'
import { inParallel } from '../parallel.js'
import { examineContent } from './content.js'
import { type EntryState, endOf, examineEntry } from './entries.js'
import { orphanedContent, orphanedEntries } from './orphans.js'
import { allRecords, type Finding, type LocatedRecord } from './records.js'

const BATCH = 64

/** `verify` and `repair` of an engine. Memory use is bounded, except for the list of problems. */
export function maintenance(
  engine: Engine,
  { artifactKey }: Pick<ArtifactLocator, 'artifactKey'>,
): Required<Pick<Backend, 'verify' | 'repair'>> {
  return {
    async verify({ digests = true, ...o }) {
      await engine.layout.check(o)
      const problems: Problem[] = []
      const unindexed = new Set<string>()
      const onRecord = async (record: LocatedRecord) => {
        const state = await examineEntry(engine, record, false, o)
        if (state.problems.length > 0) unindexed.add(record.entry.pair.entity)
        const content = await examineContent(engine, artifactKey, record, digests, o)
        // bytes of a retracted artifact may be gone
        const counts = content.length > 0 && (await endOf(engine, record, o)) === undefined
        return [...state.problems, ...(counts ? content : [])]
      }
      problems.push(...(await examineRecords(engine, onRecord, false, o)))
      for await (const problem of orphanedEntries(engine, o)) problems.push(problem)
      for await (const problem of orphanedContent(engine, artifactKey, unindexed, o)) problems.push(problem)
      return problems
    },
    async repair(o) {
      await engine.layout.check(o)
      const onRecord = async (record: LocatedRecord) => {
        const { mended }: EntryState = await examineEntry(engine, record, true, o)
        return mended
      }
      return await examineRecords(engine, onRecord, true, o)
    },
  }
}

/** Calls `run` for each record and returns its problems. Unreadable records are added unless `mend` is set. */
async function examineRecords(
  engine: Engine,
  run: (record: LocatedRecord) => Promise<readonly Problem[]>,
  mend: boolean,
  o: OpOptions,
): Promise<readonly Problem[]> {
  const problems: Problem[] = []
  let batch: LocatedRecord[] = []
  const flush = async () => {
    o.signal?.throwIfAborted()
    problems.push(...(await inParallel(batch, run)).flat())
    batch = []
  }
  for await (const item of allRecords(engine, o)) {
    if (isFinding(item)) {
      if (!mend) problems.push(item.problem)
      continue
    }
    batch.push(item)
    if (batch.length >= BATCH) await flush()
  }
  await flush()
  return problems
}

const isFinding = (item: LocatedRecord | Finding): item is Finding => 'problem' in item
