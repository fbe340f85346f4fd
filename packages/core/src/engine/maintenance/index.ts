/**
 * Examining a store and rebuilding its indexes. What is the truth, and what follows from it:
 *
 * | truth | derived, rebuilt by `repair()` |
 * |---|---|
 * | `id/<uuid>/r` of added records, with its closing and notes | their entries in `cur/` and `past/` |
 * | slots `e/<entity>/<schema>/r/…` | their entries, and the pointers `id/<uuid>/r` to them |
 * | bytes at `artifacts/<uuid>` | |
 * | | `schemas/…` and the links between schemas |
 *
 * `repair()` writes index keys and removes none but its own marks, so it is idempotent and may run beside writers.
 */
import type { Problem } from '../../model/problems.js'
import type { Backend, OpOptions } from '../../ports/index.js'
import type { Whereabouts } from '../artifacts/read.js'
import type { Engine } from '../context.js'
import { inParallel } from '../parallel.js'
import { examineContent } from './content.js'
import { type EntryState, endOf, examineEntry } from './entries.js'
import { orphanedContent, orphanedEntries } from './orphans.js'
import { allRecords, type Finding, type LocatedRecord } from './records.js'
import { examineSchemas } from './schemas.js'

const BATCH = 64

/** `verify` and `repair` of an engine. Memory is bounded but for the problems that are found. */
export function maintenance(
  engine: Engine,
  { locate }: Pick<Whereabouts, 'locate'>,
): Required<Pick<Backend, 'verify' | 'repair'>> {
  return {
    async verify({ digests = true, ...o }) {
      const problems: Problem[] = []
      const unindexed = new Set<string>()
      const onRecord = async (record: LocatedRecord) => {
        const state = await examineEntry(engine, record, false, o)
        if (state.problems.length > 0) unindexed.add(record.entry.pair.entity)
        const content = await examineContent(engine, locate, record, digests, o)
        // bytes of a retracted artifact may be gone
        const counts = content.length > 0 && (await endOf(engine, record, o)) === undefined
        return [...state.problems, ...(counts ? content : [])]
      }
      problems.push(...(await examineRecords(engine, onRecord, false, o)))
      for await (const problem of orphanedEntries(engine, o)) problems.push(problem)
      for await (const problem of orphanedContent(engine, locate, unindexed, o)) problems.push(problem)
      return problems
    },
    repair: (o) =>
      examineRecords(
        engine,
        async (record) => {
          const { mended }: EntryState = await examineEntry(engine, record, true, o)
          return mended
        },
        true,
        o,
      ),
  }
}

/** Runs it for each record, and examines what all of them share. When mending, the result is what was mended. */
async function examineRecords(
  engine: Engine,
  run: (record: LocatedRecord) => Promise<readonly Problem[]>,
  mend: boolean,
  o: OpOptions,
): Promise<readonly Problem[]> {
  const problems: Problem[] = []
  const schemas = new Set<string>()
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
    schemas.add(item.entry.pair.schema)
    batch.push(item)
    if (batch.length >= BATCH) await flush()
  }
  await flush()
  problems.push(...(await examineSchemas(engine, schemas, mend, o)))
  return problems
}

const isFinding = (item: LocatedRecord | Finding): item is Finding => 'problem' in item
