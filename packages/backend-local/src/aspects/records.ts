import { randomUUID } from 'node:crypto'
import {
  type AspectDraft,
  type AspectRecord,
  aspectUrn,
  type OpOptions,
  omitUndefined,
  type Timestamp,
  timestamp,
} from '@ivcap/core/driver'
import { aspectUuid, type Clock, closingTime, nextValidFrom } from '@ivcap/core/internal'
import type { Bases } from '../bases.js'
import type { Locks } from '../fs/locks.js'
import type { Omissions } from '../fs/omissions.js'
import type { OwnFolder } from '../fs/own-folder.js'
import { isDiskError } from '../fs/read-small.js'
import type { AspectIndex } from '../index/aspect-index.js'
import { versionOf } from '../index/fact-reader.js'
import { type AspectFolder, type Closing, endOf } from './files.js'

/** One pass over the records of a listing. */
export interface Scan {
  /** True if the scan includes the record. */
  readonly includes: (uuid: string) => boolean
  /** Set to true if a record changed during the scan, e.g. by a successor that the scan does not include: it must start again. */
  outrun: boolean
}

/** A step that runs just before records are committed. */
export interface CommitStep {
  run(): Promise<void>
  /** Called if `run` or the commit after it has failed. Its own failures are ignored. */
  undo(): Promise<void>
  /** Called at the end in any case. */
  end(): Promise<void>
}

/**
 * The records of the folder and their changes. An update first writes the ends of the records that it replaces. They have its own
 * uuid as `by`, so they take effect only once its record exists. Then it creates its own file, which is the commit. A crash
 * before the commit leaves closings without effect. A crash after it leaves a complete record; only the copies of the ends in the
 * files of the old records may be missing, and the next holder of the lock writes them. Readers need no lock.
 */
export class AspectRecords {
  readonly #folder: AspectFolder
  readonly #index: AspectIndex
  readonly #locks: Locks
  readonly #clock: Clock
  readonly #bases: Bases
  readonly #own: OwnFolder
  readonly #omissions: Omissions

  constructor(parts: {
    readonly folder: AspectFolder
    readonly index: AspectIndex
    readonly locks: Locks
    readonly clock: Clock
    readonly bases: Bases
    readonly own: OwnFolder
    readonly omissions: Omissions
  }) {
    this.#folder = parts.folder
    this.#index = parts.index
    this.#locks = parts.locks
    this.#clock = parts.clock
    this.#bases = parts.bases
    this.#own = parts.own
    this.#omissions = parts.omissions
  }

  /**
   * Returns the record with its end. Returns undefined if it does not exist, or if its file contains no record. A file that can't
   * be read is reported by an event and treated as missing.
   *
   * @param strict fails on a disk error instead, for callers that act on the absence of the record
   * @throws an error of the file system, if `strict`
   */
  async load(
    uuid: string,
    scan?: Scan,
    { strict = false }: { readonly strict?: boolean } = {},
  ): Promise<AspectRecord | undefined> {
    const read = await this.#folder.read(uuid)
    if (read === undefined) return undefined
    if ('unreadable' in read) {
      if (strict && isDiskError(read)) throw read.cause
      this.#omissions.report({ path: this.#folder.path(uuid), state: read.unreadable, why: read.unreadable })
      return undefined
    }
    const ended = await endOf(read, await this.#folder.closing(uuid, { strict }), async (by) => {
      if (this.#index.table.get(by) === undefined && !(await this.#folder.exists(by))) return false
      if (scan !== undefined && !scan.includes(by)) scan.outrun = true
      return true
    })
    const { validTo: _, ...begun } = read.record
    // like its entry in the index, which has an end only if the file has one and an end is in effect
    const shown =
      read.record.validTo === undefined ? read.record : omitUndefined({ ...begun, validTo: ended.validTo })
    if (!(await this.#index.confirm(uuid, shown)) && scan !== undefined) scan.outrun = true
    return ended
  }

  /** Creates the folder and records its path. Must be awaited before anything is written. */
  async #prepare(): Promise<void> {
    await this.#own.ensure()
    await this.#bases.remember()
  }

  /** Adds records one after the other. Stops at the first failure; records already added stay. */
  async add(drafts: readonly AspectDraft[], o: OpOptions): Promise<readonly AspectRecord[]> {
    await this.#prepare()
    const records = drafts.map((draft) => recordOf(this.#withCurrentEntity(draft), timestamp(this.#clock())))
    await this.#folder.addMany(records, o, (record, stat) =>
      this.#index.add(uuidOf(record), record, versionOf(stat)),
    )
    await this.#index.save()
    return records
  }

  /**
   * Replaces the records of the same entity and schema that are in force. The records `also` are added by the same commit, after
   * the step `before`.
   */
  async update(
    requested: AspectDraft,
    o: OpOptions,
    { also = [], before }: { also?: readonly AspectDraft[]; before?: CommitStep } = {},
  ): Promise<AspectRecord> {
    await this.#prepare()
    const draft = this.#withCurrentEntity(requested)
    return await this.#locks.with(this.#keyOf(draft), o, async (announce) => {
      const { current, newest } = await this.#readCurrentState(draft)
      o.signal?.throwIfAborted()
      const validFrom = nextValidFrom(this.#clock(), newest)
      const replaces = current.at(-1)?.id
      const record = { ...recordOf(draft, validFrom), ...(replaces && { replaces }) }
      const records = [
        record,
        ...also.map((other) => recordOf(this.#withCurrentEntity(other), timestamp(this.#clock()))),
      ]
      const closing: Closing = { validTo: validFrom, by: uuidOf(record) }
      if (current.length > 0) await announce(current.map(uuidOf))
      for (const old of current) await this.#folder.close(uuidOf(old), closing)
      try {
        await this.#folder.add(records, before)
      } catch (e) {
        for (const made of records) await this.#folder.withdraw(made)
        throw e
      } finally {
        await before?.end()
      }
      for (const old of current) await this.#copyEnd(uuidOf(old), closing)
      await this.#updateIndex([...records, ...current])
      return record
    })
  }

  /** Ends a record. Returns false if it does not exist. */
  async retract(uuid: string, o: OpOptions): Promise<boolean> {
    const current = await this.load(uuid, undefined, { strict: true })
    if (current === undefined || current.validTo !== undefined) return current !== undefined
    await this.#prepare()
    await this.#locks.with(this.#keyOf(current), o, async (announce) => {
      const record = await this.load(uuid, undefined, { strict: true })
      if (record === undefined || record.validTo !== undefined) return
      const now = this.#clock()
      const validTo = record.validFrom === undefined ? timestamp(now) : closingTime(now, record.validFrom)
      await announce([uuid])
      try {
        await this.#folder.close(uuid, { validTo })
      } catch (e) {
        await this.#folder.reopen(uuid)
        throw e
      }
      await this.#copyEnd(uuid, { validTo })
      await this.#updateIndex([record])
    })
    return true
  }

  /** Copies the ends of these records into their files. */
  async copyEnds(uuids: readonly string[]): Promise<void> {
    for (const uuid of uuids) {
      const record = await this.load(uuid)
      const closing = await this.#folder.closing(uuid)
      if (record?.validTo !== undefined && closing?.validTo === record.validTo)
        await this.#copyEnd(uuid, closing)
    }
  }

  /** The records of one entity and schema that are in force, oldest first, and the newest times in their history. */
  async #readCurrentState({ entity, schema }: AspectDraft) {
    await this.#index.refresh()
    const { table } = this.#index
    const now = timestamp(this.#clock())
    const current: AspectRecord[] = []
    let begun: Timestamp | undefined
    let ended: Timestamp | undefined
    // the schema is compared here: in a query, % in a schema is a wildcard
    for (const entry of table.of({ entity })) {
      if (entry.schema !== schema) continue
      const { validTo } = entry
      // an end in the future may not be the effective one, so the record is read
      const record =
        validTo === undefined || validTo > now
          ? await this.load(entry.uuid, undefined, { strict: true })
          : undefined
      if (record !== undefined && record.validTo === undefined) current.push(record)
      begun = later(begun, entry.validFrom)
      ended = later(ended, record?.validTo ?? validTo)
    }
    current.sort((a, b) => ((a.validFrom ?? '') < (b.validFrom ?? '') ? -1 : 1))
    const newest = begun === undefined ? undefined : { validFrom: begun, ...(ended && { closedAt: ended }) }
    return { current, newest }
  }

  /** Failures are ignored: the records are committed, and the next refresh finds them. */
  async #updateIndex(records: readonly AspectRecord[]): Promise<void> {
    await this.#index.reread(records.map(uuidOf)).catch(() => {})
    await this.#index.save()
  }

  /** Failures are reported as `fallback`: only other programs need the copy. */
  async #copyEnd(uuid: string, closing: Closing): Promise<void> {
    try {
      await this.#folder.copyEnd(uuid, closing)
    } catch (e) {
      const path = this.#folder.path(uuid)
      this.#omissions.fallback(
        `the end of a record could not be written into its file, where other programs look for it: ${path} (${String(e)})`,
        path,
      )
    }
  }

  /** The draft with its entity translated to the present path of the folder. */
  #withCurrentEntity(draft: AspectDraft): AspectDraft {
    const entity = this.#bases.current(draft.entity)
    return entity === draft.entity ? draft : { ...draft, entity }
  }

  #keyOf({ entity, schema }: { readonly entity: string; readonly schema: string }): string {
    return `${this.#bases.keyOf(entity)}\0${schema}`
  }
}

function recordOf(draft: AspectDraft, validFrom: Timestamp): AspectRecord {
  return { id: aspectUrn(randomUUID()), ...draft, validFrom }
}

const uuidOf = (record: AspectRecord): string => aspectUuid(record.id) ?? ''

function later(a: Timestamp | undefined, b: Timestamp | undefined): Timestamp | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return a > b ? a : b
}
