import type { AspectRecord, JsonObject } from '@ivcap/core/driver'
import type { AspectFolder } from '../aspects/files.js'
import type { Bases } from '../bases.js'
import { decodableNames, NOT_UTF8 } from '../fs/entries.js'
import { type LocalFs, modifiedNs, statIfThere } from '../fs/local-fs.js'
import type { Omissions } from '../fs/omissions.js'
import type { OwnFolder } from '../fs/own-folder.js'
import type { Staging } from '../fs/staging.js'
import { FactReader } from './fact-reader.js'
import type { Entry, FactTable, Version } from './facts.js'
import { IndexStore } from './index-store.js'

/** A folder of up to this many records is read synchronously. */
const SMALL = 1024
/** New files read between two writes of the index. */
const READ_AT_ONCE = 4096
/** The first listing checks the versions of all files if the folder has no more records than this. */
const CHECKED_AT_FIRST = 4096
/** Other listings check the versions of this many files. */
const CHECKED = 256

/**
 * An index of the aspects by entity and schema, so that queries need not read all files. It is updated from the names in the
 * folder before each use, and stored for the next process. It only selects files to read: all results come from the files.
 *
 * If another program rewrites a file in place, the folder does not change. Queries for the old fields read the file and drop it;
 * queries for the new fields find it once its version has been checked. Each listing checks some versions.
 */
export class AspectIndex {
  readonly #fs: LocalFs
  readonly #folder: AspectFolder
  readonly #bases: Bases
  readonly #omissions: Omissions
  readonly #reader: FactReader
  readonly #store: IndexStore
  /** When the folder was last changed, when it was read, and the table that was complete then. */
  #seen: { readonly changed: bigint; readonly at: bigint; readonly table: FactTable } | undefined
  #checks = false
  #missing = new WeakSet<Entry>()
  #nextCheck: number | undefined
  #running: Promise<void> | undefined
  #next: Promise<void> | undefined

  constructor(parts: {
    readonly fs: LocalFs
    readonly folder: AspectFolder
    readonly staging: Staging
    /** Where the index is stored. */
    readonly paths: { readonly facts: string; readonly contents: string }
    readonly omissions: Omissions
    readonly bases: Bases
    readonly own: OwnFolder
  }) {
    this.#fs = parts.fs
    this.#folder = parts.folder
    this.#bases = parts.bases
    this.#omissions = parts.omissions
    this.#reader = new FactReader(parts.fs, parts.folder, parts.omissions)
    this.#store = new IndexStore(parts)
  }

  /** All known records. A refresh may replace the table. */
  get table(): FactTable {
    return this.#store.table
  }

  /** Updates the table. It then has every record whose file existed at the call. `check`: also looks for rewritten files. */
  refresh({ check = false } = {}): Promise<void> {
    this.#checks ||= check
    // a running scan may miss a new file: all calls during it share the next one
    if (this.#running !== undefined) {
      this.#next ??= this.#running.then(
        () => this.#start(),
        () => this.#start(),
      )
      return this.#next
    }
    return this.#start()
  }

  /** Adds a record that was just written, with the version of its file. */
  add(
    uuid: string,
    { entity, schema, validFrom, validTo, content = {} }: AspectRecord,
    version: Version,
  ): void {
    this.#store.learn({ uuid, entity, schema, validFrom, validTo, ...version }, content)
  }

  /** Writes pending entries to the index files, if there are enough of them. */
  save(): Promise<void> {
    return this.#store.write()
  }

  /** The stored contents of the selected entries. */
  contents(isWanted: (entry: Entry) => boolean): AsyncGenerator<readonly [Entry, JsonObject]> {
    return this.#store.contents(isWanted)
  }

  /** Makes the next read of this entry's record store its content. */
  missContent(entry: Entry): void {
    this.#missing.add(entry)
  }

  /**
   * Compares a record that was read with its entry. If they differ, reads the file again. Returns false if it no longer matches.
   */
  async confirm(uuid: string, record: AspectRecord): Promise<boolean> {
    const entry = this.table.get(uuid)
    if (entry === undefined) return true
    const isThere =
      entry.entity === record.entity && entry.schema === record.schema && entry.validFrom === record.validFrom
    const isEnded = (entry.validTo === undefined) !== (record.validTo === undefined)
    if (!isThere || isEnded) await this.reread([uuid])
    else if (this.#missing.delete(entry)) this.#store.keepContent(entry, record.content ?? {})
    return isThere
  }

  /** Reads these files and updates their entries. */
  async reread(uuids: readonly string[]): Promise<void> {
    const read = new Set<string>()
    await this.#reader.read(
      uuids.map((uuid) => `${uuid}.json`),
      (fact, content) => {
        read.add(fact.uuid)
        this.#store.learn(fact, content)
      },
      (uuid) => this.#isThere(uuid),
    )
    for (const uuid of uuids) if (!read.has(uuid)) this.#store.forget(uuid)
  }

  /** Reads all records anew. */
  async rebuild(): Promise<void> {
    await this.refresh()
    await this.#store.discard()
    await this.refresh()
  }

  #start(): Promise<void> {
    this.#next = undefined
    const running = this.#scan().finally(() => {
      if (this.#running === running) this.#running = undefined
    })
    this.#running = running
    return running
  }

  #isThere(uuid: string): boolean {
    return this.table.get(uuid) !== undefined
  }

  async #scan(): Promise<void> {
    // URNs now refer to other files
    if (await this.#bases.refresh()) this.#store.reset()
    await this.#store.read()
    const { table, snapshot } = this.#store
    const at = BigInt(Date.now()) * 1_000_000n
    const stat = await statIfThere(this.#fs, this.#folder.dir)
    const changed = stat === undefined ? 0n : modifiedNs(stat)
    if (snapshot !== undefined) this.#reader.refuse(snapshot.refused)
    const isWhole =
      snapshot?.changed === changed ||
      (this.#seen?.table === table && this.#seen.changed === changed && isSettled(this.#seen))
    const names = isWhole ? this.#reader.refused : await this.#newNames()
    for (let i = 0; i < names.length; i += READ_AT_ONCE) {
      if (i > 0) await this.#store.write()
      await this.#reader.read(
        names.slice(i, i + READ_AT_ONCE),
        (fact, content) => this.#store.learn(fact, content),
        (uuid) => this.#isThere(uuid),
      )
    }
    if (this.#checks) await this.#check()
    this.#seen = { changed, at, table }
    await this.#store.write(isSettled(this.#seen) ? { changed, refused: this.#reader.refused } : undefined)
  }

  /** Names without an entry in the table. Removes entries whose files are gone. */
  async #newNames(): Promise<readonly string[]> {
    const { table } = this
    // files written while the names are read may be missing from them
    const { end } = table
    const { names, undecodable } = await decodableNames(this.#fs, this.#folder.dir, {
      small: table.size <= SMALL,
    })
    for (const path of undecodable) this.#omissions.report({ path, state: '', why: NOT_UTF8 })
    const there = new Set<Entry>()
    const unknown = names.filter((name) => {
      const entry = name.endsWith('.json') ? table.get(name.slice(0, -'.json'.length)) : undefined
      if (entry !== undefined) there.add(entry)
      return entry === undefined && !name.startsWith('.')
    })
    if (there.size < table.size) {
      for (const entry of [...table.entries()])
        if (entry.number < end && !there.has(entry)) this.#store.forget(entry.uuid)
    }
    return unknown
  }

  /** Compares the versions of some files, and reads those that have changed. */
  async #check(): Promise<void> {
    this.#checks = false
    const { table } = this
    const { size } = table
    const isFirst = this.#nextCheck === undefined
    const count = isFirst && size <= CHECKED_AT_FIRST ? size : Math.min(size, CHECKED)
    // a random start: processes that list only a few times check different files
    const from = this.#nextCheck ?? Math.floor(Math.random() * size)
    this.#nextCheck = (from + count) % Math.max(size, 1)
    const entries = [...table.entries()]
    const checked = Array.from({ length: count }, (_, i) => entries[(from + i) % size]?.uuid ?? '')
    const isOf = (uuid: string, version: Version) => {
      const entry = table.get(uuid)
      return entry?.changed === version.changed && entry.size === version.size
    }
    await this.reread(await this.#reader.changed(checked, isOf))
  }
}

/**
 * Within this time after its last change, a folder may change again without a new time of change, in ns: one tick of the kernel's
 * clock, or two seconds on file systems with such a coarse resolution.
 */
const grainOf = (changed: bigint): bigint => (changed % 1_000_000n === 0n ? 2_100_000_000n : 50_000_000n)

const isSettled = ({ changed, at }: { changed: bigint; at: bigint }): boolean =>
  at - changed > grainOf(changed)
