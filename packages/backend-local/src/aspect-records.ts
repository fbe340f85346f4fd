import { randomUUID } from 'node:crypto'
import {
  type AspectDraft,
  type AspectRecord,
  aspectUrn,
  aspectUuid,
  type Clock,
  closingTime,
  nextValidFrom,
  type OpOptions,
  omitUndefined,
  type Timestamp,
  timestamp,
} from '@ivcap/core/driver'
import { type Around, type AspectFolder, type Closing, endOf } from './aspect-folder.js'
import type { AspectIndex } from './aspect-index.js'
import { versionOf } from './fact-reader.js'
import type { Bases } from './folder/bases.js'
import type { LeftOuts } from './folder/left-outs.js'
import type { OwnFolder } from './folder/own-folder.js'
import { isDiskError } from './folder/read-small.js'
import type { Locks } from './lock.js'

/** One look at what there is. */
export interface Scan {
  /** Whether it looks at the record. */
  readonly includes: (uuid: string) => boolean
  /** Set when it met a record whose successor it doesn't look at: it must begin again to tell one story. */
  outrun: boolean
}

/**
 * The records of the folder, and how they change. An update writes the ends of those that it replaces first (`by` its own
 * uuid: they count once that exists), then creates its own file, which is the commit. A crash before leaves closings that
 * count for nothing, one after it leaves a complete fact; only the copies of the ends in the old records' files may lag, and
 * whoever next holds the lock brings them up to date. Readers need no lock.
 */
export class AspectRecords {
  readonly #folder: AspectFolder
  readonly #index: AspectIndex
  readonly #locks: Locks
  readonly #clock: Clock
  readonly #bases: Bases
  readonly #own: OwnFolder
  readonly #leftOuts: LeftOuts

  constructor(parts: {
    readonly folder: AspectFolder
    readonly index: AspectIndex
    readonly locks: Locks
    readonly clock: Clock
    readonly bases: Bases
    readonly own: OwnFolder
    readonly leftOuts: LeftOuts
  }) {
    this.#folder = parts.folder
    this.#index = parts.index
    this.#locks = parts.locks
    this.#clock = parts.clock
    this.#bases = parts.bases
    this.#own = parts.own
    this.#leftOuts = parts.leftOuts
  }

  /**
   * Returns the record with its end; undefined if there is none, or if its file holds no record. A file that can't be read is
   * reported by an event, and counts as none.
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
      this.#leftOuts.tell({ path: this.#folder.path(uuid), state: read.unreadable, why: read.unreadable })
      return undefined
    }
    const ended = await endOf(read, await this.#folder.closing(uuid, { strict }), async (by) => {
      if (this.#index.table.find(by) === undefined && !(await this.#folder.exists(by))) return false
      if (scan !== undefined && !scan.includes(by)) scan.outrun = true
      return true
    })
    const { validTo: _, ...begun } = read.record
    // as the index has it: an end counts there only while it counts here
    const shown =
      read.record.validTo === undefined ? read.record : omitUndefined({ ...begun, validTo: ended.validTo })
    if (!(await this.#index.fits(uuid, shown)) && scan !== undefined) scan.outrun = true
    return ended
  }

  /** To be awaited before anything is written: the folder and its path are known to all who share it. */
  async #prepare(): Promise<void> {
    await this.#own.ensure()
    await this.#bases.remember()
  }

  /** Each is there for good once it is; the first failure ends it. */
  async add(drafts: readonly AspectDraft[], o: OpOptions): Promise<readonly AspectRecord[]> {
    await this.#prepare()
    const records = drafts.map((draft) => recordOf(this.#ofToday(draft), timestamp(this.#clock())))
    await this.#folder.addMany(records, o, (record, stat) =>
      this.#index.note(uuidOf(record), record, versionOf(stat)),
    )
    await this.#index.save()
    return records
  }

  /** Replaces what is in force of the same entity and schema. `also` are added by the same commit, with `around` about it. */
  async update(
    asked: AspectDraft,
    o: OpOptions,
    { also = [], around }: { also?: readonly AspectDraft[]; around?: Around } = {},
  ): Promise<AspectRecord> {
    await this.#prepare()
    const draft = this.#ofToday(asked)
    return await this.#locks.with(this.#keyOf(draft), o, async (announce) => {
      const { current, newest } = await this.#standing(draft)
      o.signal?.throwIfAborted()
      const validFrom = nextValidFrom(this.#clock(), newest)
      const replaces = current.at(-1)?.id
      const record = { ...recordOf(draft, validFrom), ...(replaces && { replaces }) }
      const records = [
        record,
        ...also.map((other) => recordOf(this.#ofToday(other), timestamp(this.#clock()))),
      ]
      const closing: Closing = { validTo: validFrom, by: uuidOf(record) }
      if (current.length > 0) await announce(current.map(uuidOf))
      for (const old of current) await this.#folder.close(uuidOf(old), closing)
      try {
        await this.#folder.add(records, around)
      } catch (e) {
        for (const made of records) await this.#folder.withdraw(made)
        throw e
      }
      for (const old of current) await this.#showEnd(uuidOf(old), closing)
      await this.#noted([...records, ...current])
      return record
    })
  }

  /** false when there is no such record. */
  async retract(uuid: string, o: OpOptions): Promise<boolean> {
    const found = await this.load(uuid, undefined, { strict: true })
    if (found === undefined || found.validTo !== undefined) return found !== undefined
    await this.#prepare()
    await this.#locks.with(this.#keyOf(found), o, async (announce) => {
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
      await this.#showEnd(uuid, { validTo })
      await this.#noted([record])
    })
    return true
  }

  /** Copies the ends of these records into their files. */
  async showEnds(uuids: readonly string[]): Promise<void> {
    for (const uuid of uuids) {
      const record = await this.load(uuid)
      const closing = await this.#folder.closing(uuid)
      if (record?.validTo !== undefined && closing?.validTo === record.validTo)
        await this.#showEnd(uuid, closing)
    }
  }

  /** What of one entity and schema is in force, oldest first, and how far its history reaches. */
  async #standing({ entity, schema }: AspectDraft) {
    await this.#index.refresh()
    const { table } = this.#index
    const now = timestamp(this.#clock())
    const current: AspectRecord[] = []
    let begun: Timestamp | undefined
    let ended: Timestamp | undefined
    // not by the query's schema, where % is a pattern
    const rows = table.rows({ entity }).filter((row) => table.isAlive(row) && table.schema(row) === schema)
    for (const row of rows) {
      const known = table.validTo(row)
      // an end that is yet to come may not be the one that counts
      const record =
        known === undefined || known > now
          ? await this.load(table.uuid(row), undefined, { strict: true })
          : undefined
      if (record !== undefined && record.validTo === undefined) current.push(record)
      begun = later(begun, table.validFrom(row))
      ended = later(ended, record?.validTo ?? known)
    }
    current.sort((a, b) => ((a.validFrom ?? '') < (b.validFrom ?? '') ? -1 : 1))
    const newest = begun === undefined ? undefined : { validFrom: begun, ...(ended && { closedAt: ended }) }
    return { current, newest }
  }

  /** What was done is done, whether the index hears of it now or finds it by itself. */
  async #noted(records: readonly AspectRecord[]): Promise<void> {
    await this.#index.look(records.map(uuidOf)).catch(() => {})
    await this.#index.save()
  }

  /** For the eyes of other programs only: the record has ended already, whether this works or not. */
  async #showEnd(uuid: string, closing: Closing): Promise<void> {
    try {
      await this.#folder.showEnd(uuid, closing)
    } catch (e) {
      const path = this.#folder.path(uuid)
      this.#leftOuts.fallback(
        `the end of a record could not be written into its file, where other programs look for it: ${path} (${String(e)})`,
        path,
      )
    }
  }

  /** About the file that its URN means today. */
  #ofToday(draft: AspectDraft): AspectDraft {
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
