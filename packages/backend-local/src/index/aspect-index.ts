import type { AspectRecord } from '@ivcap/core/driver'
import { type AspectFolder, uuidOfFile } from '../aspects/files.js'
import type { Bases } from '../bases.js'
import { decodableNames, NOT_UTF8 } from '../fs/entries.js'
import type { LeftOuts } from '../fs/left-outs.js'
import { type LocalFs, modifiedNs, orAbsent } from '../fs/local-fs.js'
import type { OwnFolder } from '../fs/own-folder.js'
import type { Staging } from '../fs/staging.js'
import type { AspectTable, Version } from './aspect-table.js'
import { FactReader } from './fact-reader.js'
import { IndexStore } from './index-store.js'

/** A folder of so many records is read at once, which takes less than handing it to another thread. */
const SMALL = 1024
/** In a folder with no more records than this, all versions are checked by the first listing, … */
const CHECKED_AT_FIRST = 4096
/** … and in any, this many by each. */
const CHECKED = 256

/**
 * Which aspects there are, so that finding some does not read them all: brought up to date from the names in the folder before
 * each use, and kept in a file beside it for the next process. It only chooses which files to read: what is handed out comes
 * from those.
 *
 * A file that others rewrite in place leaves no trace in the folder. It is found by what it said before, and then no longer; by
 * what it says now once its version has been checked, which each listing does for some.
 */
export class AspectIndex {
  readonly #fs: LocalFs
  readonly #folder: AspectFolder
  readonly #bases: Bases
  readonly #leftOuts: LeftOuts
  readonly #reader: FactReader
  readonly #store: IndexStore
  /** When the folder was changed last, when it was looked at, and the table that has been whole since. */
  #seen: { readonly changed: bigint; readonly at: bigint; readonly table: AspectTable } | undefined
  #checks = false
  #nextCheck: number | undefined
  #running: Promise<void> | undefined
  #next: Promise<void> | undefined

  constructor(parts: {
    readonly fs: LocalFs
    readonly folder: AspectFolder
    readonly staging: Staging
    /** Where the index is kept. */
    readonly path: string
    readonly leftOuts: LeftOuts
    readonly bases: Bases
    readonly own: OwnFolder
  }) {
    this.#fs = parts.fs
    this.#folder = parts.folder
    this.#bases = parts.bases
    this.#leftOuts = parts.leftOuts
    this.#reader = new FactReader(parts.fs, parts.folder, parts.leftOuts)
    this.#store = new IndexStore(parts)
  }

  /** What there is. A refresh may bring another one. */
  get table(): AspectTable {
    return this.#store.table
  }

  /** Knows every record whose file was there when this was called. `check`: looks for rewritten files, too. */
  refresh({ check = false } = {}): Promise<void> {
    this.#checks ||= check
    // a scan under way may have passed the place of a new file: the next one serves all who ask meanwhile
    if (this.#running !== undefined) {
      this.#next ??= this.#running.then(
        () => this.#start(),
        () => this.#start(),
      )
      return this.#next
    }
    return this.#start()
  }

  /** A record that was just written, and the version of its file. */
  note(uuid: string, { entity, schema, validFrom, validTo }: AspectRecord, version: Version): void {
    this.#store.learn({ uuid, entity, schema, validFrom, validTo, ...version })
  }

  /** Keeps what was noted, once it is enough to be worth a write. */
  save(): Promise<void> {
    return this.#store.write()
  }

  /** Takes note of what a file says now. false: it isn't what the index had found it by. */
  async fits(uuid: string, { entity, schema, validFrom, validTo }: AspectRecord): Promise<boolean> {
    const { table } = this
    const row = table.find(uuid)
    if (row === undefined) return true
    const isThere =
      table.entity(row) === entity && table.schema(row) === schema && table.beganAt(row, validFrom)
    if (!isThere || table.isOpen(row) !== (validTo === undefined)) await this.look([uuid])
    return isThere
  }

  /** Reads what these files say now. */
  async look(uuids: readonly string[]): Promise<void> {
    const found = new Set<string>()
    await this.#reader.read(
      uuids.map((uuid) => `${uuid}.json`),
      (fact) => {
        found.add(fact.uuid)
        this.#store.learn(fact)
      },
      (uuid) => this.#isThere(uuid),
    )
    for (const uuid of uuids) if (!found.has(uuid)) this.#store.forget(uuid)
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
    return this.table.find(uuid) !== undefined
  }

  async #scan(): Promise<void> {
    // the same URNs mean other files now: what was found by them is found by others
    if (await this.#bases.refresh()) this.#store.reset()
    await this.#store.read()
    const { table, seen } = this.#store
    const at = BigInt(Date.now()) * 1_000_000n
    const stat = await orAbsent(this.#fs.stat(this.#folder.dir, { bigint: true }))
    const changed = stat === undefined ? 0n : modifiedNs(stat)
    if (seen !== undefined) this.#reader.refuse(seen.refused)
    const isWhole =
      seen?.changed === changed ||
      (this.#seen?.table === table && this.#seen.changed === changed && isSettled(this.#seen))
    const names = isWhole ? this.#reader.refused : await this.#newNames()
    await this.#reader.read(
      names,
      (fact) => this.#store.learn(fact),
      (uuid) => this.#isThere(uuid),
    )
    if (this.#checks) await this.#check()
    this.#seen = { changed, at, table }
    await this.#store.write(isSettled(this.#seen) ? { changed, refused: this.#reader.refused } : undefined)
  }

  /** Names that the table has no record of; records whose names are gone are forgotten. */
  async #newNames(): Promise<readonly string[]> {
    const { table } = this
    // what is written while the names are read may be missing among them
    const { end } = table
    const { names, undecodable } = await decodableNames(this.#fs, this.#folder.dir, {
      small: table.size <= SMALL,
    })
    for (const path of undecodable) this.#leftOuts.tell({ path, state: '', why: NOT_UTF8 })
    const there = new Uint8Array(end)
    const unknown = names.filter((name) => {
      const uuid = uuidOfFile(name)
      const row = uuid === undefined ? undefined : table.find(uuid)
      if (row !== undefined && row < end) there[row] = 1
      return row === undefined && !name.startsWith('.')
    })
    for (let row = 0; row < end; row++) {
      if (there[row] === 0 && table.isAlive(row)) this.#store.forget(table.uuid(row))
    }
    return unknown
  }

  /** Looks at some files whether they are as they were, and reads those that are not. */
  async #check(): Promise<void> {
    this.#checks = false
    const { table } = this
    const { end } = table
    const isFirst = this.#nextCheck === undefined
    const count = isFirst && table.size <= CHECKED_AT_FIRST ? end : Math.min(end, CHECKED)
    // processes that list little each begin elsewhere
    const from = this.#nextCheck ?? Math.floor(Math.random() * end)
    this.#nextCheck = (from + count) % Math.max(end, 1)
    const uuids: string[] = []
    for (let i = 0; i < count; i++) {
      const row = (from + i) % end
      if (table.isAlive(row)) uuids.push(table.uuid(row))
    }
    const isOf = (uuid: string, version: Version) => {
      const row = table.find(uuid)
      return row !== undefined && table.isOf(row, version)
    }
    await this.look(await this.#reader.changed(uuids, isOf))
  }
}

/**
 * How long after its last change a folder may change again without a trace, in ns: a tick of the kernel's clock, or two seconds
 * where times are that coarse.
 */
const grainOf = (changed: bigint): bigint => (changed % 1_000_000n === 0n ? 2_100_000_000n : 50_000_000n)

const isSettled = ({ changed, at }: { changed: bigint; at: bigint }): boolean =>
  at - changed > grainOf(changed)
