/** Finds bytes and index entries without a record. */

import { isIvcapError } from '../../model/errors.js'
import type { Problem } from '../../model/problems.js'
import { type Timestamp, timestamp } from '../../model/time.js'
import { artifactUrn } from '../../model/urn.js'
import type { OpOptions } from '../../ports/index.js'
import { ARTIFACT_SCHEMAS } from '../../rules/provenance.js'
import type { ArtifactLocator } from '../artifacts/read.js'
import type { Engine } from '../context.js'
import { BY_SCHEMA, byEntity, type Entry, entryPrefix, indexPrefix, parseEntry } from '../index/entries.js'
import { contentKey, hashEntity, idKey, pairOf } from '../keys.js'
import { inParallel } from '../parallel.js'
import { listPage, readText } from '../records/blobs.js'
import { readSlot } from '../records/log.js'
import { isTombstone } from '../records/texts.js'
import { keyPages } from './records.js'

/** Microseconds. Younger bytes and entries may belong to an upload or an add in progress. */
const PENDING = 24 * 60 * 60 * 1_000_000

/** Entries whose record does not exist: the writer crashed before its commit, or the record was lost. */
export async function* orphanedEntries(engine: Engine, o: OpOptions): AsyncGenerator<Problem> {
  const before = timestamp(engine.clock() - PENDING)
  for (const tense of ['cur', 'past'] as const) {
    for await (const keys of keyPages(engine, indexPrefix(tense, BY_SCHEMA), o)) {
      const old = keys.flatMap((key) => entryAt(key) ?? []).filter(({ validFrom }) => validFrom < before)
      const found = await inParallel(old, async (entry) =>
        (await hasRecord(engine, entry, o)) ? undefined : orphanedEntry(tense, entry),
      )
      for (const problem of found) if (problem !== undefined) yield problem
    }
  }
}

function entryAt(key: string): Entry | undefined {
  const [name = '', schema = ''] = key.split('/').reverse()
  const { entry, tail } = parseEntry(schema, name) ?? {}
  // in past/ an end follows the name of each entry
  return tail === undefined || /^\d{16}$/.test(tail) ? entry : undefined
}

async function hasRecord(engine: Engine, { pair, slot, uuid }: Entry, o: OpOptions): Promise<boolean> {
  try {
    if (slot !== undefined) return (await readSlot(engine, pair, slot, o)) !== undefined
    const text = await readText(engine.blobs, idKey(uuid), o)
    return text !== undefined && !isTombstone(text)
  } catch (error) {
    // the record exists; the damage is reported elsewhere
    if (isIvcapError(error, 'integrity')) return true
    throw error
  }
}

function orphanedEntry(tense: 'cur' | 'past', entry: Entry): Problem {
  const resource = entryPrefix(tense, BY_SCHEMA, entry)
  const message =
    tense === 'past'
      ? `The index entry ${resource} is of a record that is lost: restore it from a copy`
      : `The index entry ${resource} leads to no record: its writer died before the commit, or the record is lost`
  return { kind: 'orphan', resource, message, repairable: false }
}

/**
 * Bytes without a record that are older than a day. Checks only keys `artifacts/<uuid>` that `artifactKey` returns for the id.
 *
 * @param unindexed hashes of entities whose index entries are known to be wrong: they do not lead to the records
 */
export async function* orphanedContent(
  engine: Engine,
  artifactKey: ArtifactLocator['artifactKey'],
  unindexed: ReadonlySet<string>,
  o: OpOptions,
): AsyncGenerator<Problem> {
  const before = timestamp(engine.clock() - PENDING)
  const prefix = contentKey('')
  for (let startAfter: string | undefined; ; ) {
    const { items, more } = await listPage(
      engine.blobs,
      { prefix, limit: 200, ...(startAfter && { startAfter }) },
      o,
    )
    const found = await inParallel(items, async ({ key, lastModifiedAt }): Promise<Problem | undefined> => {
      const id = artifactUrn(key.slice(prefix.length))
      if (artifactKey({ id }) !== key || isPending(lastModifiedAt, before)) return undefined
      if (unindexed.has(hashEntity(id)) || (await isRecorded(engine, id, o))) return undefined
      return {
        kind: 'orphan',
        resource: key,
        message: `No record names the bytes at ${key}`,
        repairable: false,
      }
    })
    for (const problem of found) if (problem !== undefined) yield problem
    if (!more) return
    startAfter = items.at(-1)?.key
  }
}

/** An unknown age counts as young. */
const isPending = (at: Timestamp | undefined, before: Timestamp): boolean => at === undefined || at > before

async function isRecorded({ blobs }: Engine, id: string, o: OpOptions): Promise<boolean> {
  for (const schema of ARTIFACT_SCHEMAS) {
    const pair = pairOf(id, schema)
    for (const tense of ['cur', 'past'] as const) {
      const prefix = `${indexPrefix(tense, byEntity(pair.entity))}${pair.schema}/`
      const { items } = await listPage(blobs, { prefix, limit: 1 }, o)
      if (items.length > 0) return true
    }
  }
  return false
}
