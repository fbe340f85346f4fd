import { join } from 'node:path'
import { type AspectRecord, schemaMatcher, type Timestamp } from '@ivcap/core/driver'
import { type AspectFolder, uuidOfFile } from './aspect-folder.js'
import { entriesOf, errnoOf, etagOf, type LocalFs, modifiedNs, orAbsent } from './local-fs.js'

/** What never changes of a record, and what was learnt of its end. */
export interface Entry {
  readonly uuid: string
  readonly entity: string
  readonly schema: string
  readonly validFrom: Timestamp | undefined
  /** Known once the record is closed: it stays so. */
  closedAt?: Timestamp
}

/** The coarsest clock of a file system in use: a folder that changed later than this ago may change again unseen. In ns. */
const GRAIN = 2_100_000_000n
/** Files read at a time. */
const WIDTH = 16

/**
 * Which aspects there are, by entity and schema, so that finding those of one entity does not read them all. Brought up to
 * date from the names in the folder before each use; holds some 300 bytes for each record.
 */
export class AspectIndex {
  readonly #fs: LocalFs
  readonly #folder: AspectFolder
  readonly #warn: (message: string) => void
  readonly #entries = new Map<string, Entry>()
  readonly #byEntity = new Map<string, Map<string, Entry>>()
  readonly #schemas = new Map<string, string>()
  /** Files that are no records, as they were when last looked at. */
  readonly #refused = new Map<string, string>()
  #seen: { readonly changed: bigint; readonly at: bigint } | undefined
  #running: Promise<void> | undefined
  #next: Promise<void> | undefined

  constructor(fs: LocalFs, folder: AspectFolder, warn: (message: string) => void) {
    this.#fs = fs
    this.#folder = folder
    this.#warn = warn
  }

  has(uuid: string): boolean {
    return this.#entries.has(uuid)
  }

  find(q: { readonly entity?: string; readonly schema?: string }): Entry[] {
    const fits = schemaMatcher(q.schema)
    const entries = q.entity === undefined ? this.#entries : this.#byEntity.get(q.entity)
    return [...(entries?.values() ?? [])].filter((entry) => fits(entry.schema))
  }

  /** Knows every record whose file was there when this was called. */
  refresh(): Promise<void> {
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

  #start(): Promise<void> {
    this.#next = undefined
    const running = this.#scan().finally(() => {
      if (this.#running === running) this.#running = undefined
    })
    this.#running = running
    return running
  }

  /** A record that was just written, or read anew. */
  note(uuid: string, record: AspectRecord): Entry {
    const known = this.#entries.get(uuid)
    if (
      known?.entity === record.entity &&
      known.schema === record.schema &&
      known.validFrom === record.validFrom
    ) {
      return known
    }
    this.#forget(uuid)
    const schema = this.#schemas.get(record.schema) ?? record.schema
    this.#schemas.set(schema, schema)
    const entry: Entry = { uuid, entity: record.entity, schema, validFrom: record.validFrom }
    this.#entries.set(uuid, entry)
    const same = this.#byEntity.get(entry.entity) ?? new Map<string, Entry>()
    this.#byEntity.set(entry.entity, same.set(uuid, entry))
    return entry
  }

  async #scan(): Promise<void> {
    const at = BigInt(Date.now()) * 1_000_000n
    const stat = await orAbsent(this.#fs.stat(this.#folder.dir, { bigint: true }))
    const changed = stat === undefined ? 0n : modifiedNs(stat)
    const settled = this.#seen?.changed === changed && this.#seen.at - changed > GRAIN
    const names = settled ? [...this.#refused.keys()] : await this.#names()
    const unknown = names.filter((name) => !this.#entries.has(uuidOfFile(name) ?? ''))
    for (let i = 0; i < unknown.length; i += WIDTH) {
      await Promise.all(unknown.slice(i, i + WIDTH).map((name) => this.#look(name)))
    }
    this.#seen = { changed, at }
  }

  async #names(): Promise<string[]> {
    const names: string[] = []
    const there = new Set<string>()
    for (const { name, kind } of await entriesOf(this.#fs, this.#folder.dir)) {
      if (name.startsWith('.') || kind === 'folder') continue
      names.push(name)
      there.add(uuidOfFile(name) ?? '')
    }
    for (const uuid of this.#entries.keys()) if (!there.has(uuid)) this.#forget(uuid)
    return names
  }

  async #look(name: string): Promise<void> {
    const path = join(this.#folder.dir, name)
    const stat = await orAbsent(this.#fs.lstat(path, { bigint: true }))
    if (stat === undefined) {
      this.#refused.delete(name)
      return
    }
    const etag = etagOf(stat)
    if (this.#refused.get(name) === etag) return
    const uuid = uuidOfFile(name)
    const record = uuid === undefined ? 'its name is not <uuid>.json' : await this.#read(uuid)
    if (uuid !== undefined && typeof record === 'object') {
      this.note(uuid, record)
      this.#refused.delete(name)
    } else if (record !== undefined) {
      this.#refused.set(name, etag)
      this.#warn(`${path} is not an aspect, and is left out: ${String(record)}`)
    }
  }

  async #read(uuid: string): Promise<AspectRecord | string | undefined> {
    try {
      return await this.#folder.read(uuid)
    } catch (e) {
      // one file that can't be read is no reason to show none; a disk or a process in trouble is
      if (errnoOf(e) === 'EACCES' || errnoOf(e) === 'ELOOP') return 'it may not be read'
      throw e
    }
  }

  #forget(uuid: string): void {
    const entry = this.#entries.get(uuid)
    if (entry === undefined) return
    this.#entries.delete(uuid)
    const same = this.#byEntity.get(entry.entity)
    same?.delete(uuid)
    if (same?.size === 0) this.#byEntity.delete(entry.entity)
  }
}
