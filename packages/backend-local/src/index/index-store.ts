import type { Bases } from '../bases.js'
import type { LocalFs } from '../fs/local-fs.js'
import type { OwnFolder } from '../fs/own-folder.js'
import type { Staging } from '../fs/staging.js'
import { AspectTable, type Fact } from './aspect-table.js'
import { IndexFile } from './index-file.js'
import type { Seen, Segment } from './index-segment.js'

/** From so many records on, reading an index takes less time than reading them. */
const WORTHWHILE = 256
/** Facts that wait to be written: they are lost with the process, and the next one reads so many files. */
const WAITING = 512
/** So many segments in the file make it worth writing anew; more where it is long. */
const SEGMENTS = 16
/** Rows in a segment that is written with others. */
const ROWS = 65_536
/** More refused names than this are not remembered: the folder is somebody's mess. */
const REFUSED = 1000

/**
 * The table and its file: what this process learns is written for others, what they write is learnt. Nothing here fails when
 * the file can't be read or written: then each process learns for itself.
 */
export class IndexStore {
  readonly #file: IndexFile
  readonly #bases: Bases
  readonly #own: OwnFolder
  readonly #waiting = new Set<string>()
  readonly #gone = new Set<string>()
  #table = new AspectTable()
  #seen: Seen | undefined
  #givenUp = false

  constructor(parts: {
    readonly fs: LocalFs
    readonly path: string
    readonly staging: Staging
    readonly bases: Bases
    readonly own: OwnFolder
  }) {
    this.#own = parts.own
    this.#bases = parts.bases
    this.#file = new IndexFile(parts.fs, parts.path, parts.staging, parts.own)
  }

  /** Another one after another process has put a new file in the place of the old. */
  get table(): AspectTable {
    return this.#table
  }
  /** The state of the folder that the table is known to show whole; undefined when it isn't. */
  get seen(): Seen | undefined {
    return this.#seen
  }

  learn(fact: Fact): void {
    if (this.#table.put(fact) && !this.#givenUp) this.#waiting.add(fact.uuid)
    this.#gone.delete(fact.uuid)
  }

  forget(uuid: string): void {
    this.#table.remove(uuid)
    this.#waiting.delete(uuid)
    if (this.#file.exists && !this.#givenUp) this.#gone.add(uuid)
  }

  /** Forgets everything; the file is read from its beginning. */
  reset(): void {
    this.#table = new AspectTable()
    this.#seen = undefined
    this.#waiting.clear()
    this.#gone.clear()
    this.#file.reset()
  }

  /** Forgets everything and removes the file. */
  async discard(): Promise<void> {
    await this.#file.remove()
    this.reset()
  }

  /** Learns what other processes have written. The index of a folder that came from elsewhere is not believed. */
  async read(): Promise<void> {
    if (!this.#bases.isKnown) return
    const another = () => {
      this.#table = new AspectTable()
      this.#seen = undefined
    }
    const take = (segment: Segment) => {
      // written by a process that has the folder under another path
      const entities = segment.entities.map((entity) => this.#bases.current(entity))
      this.#table.unpack({ ...segment, entities })
      for (const uuid of segment.gone ?? []) this.#table.remove(uuid)
      this.#seen = segment.seen ?? this.#seen
    }
    await this.#file.read(another, take).catch(() => {})
  }

  /** Writes down what was learnt, if that is worth it by now. `seen`: with it, the table shows the folder whole. */
  async write(seen?: Seen): Promise<void> {
    const { exists, damaged, segments } = this.#file
    const limit = SEGMENTS + this.#table.size / 4096
    const isAnew = exists ? damaged || segments > limit : this.#table.size >= WORTHWHILE
    const isNews =
      seen !== undefined && seen.changed !== this.#seen?.changed && seen.refused.length <= REFUSED
    const isMuch = this.#waiting.size + this.#gone.size >= WAITING
    if (this.#givenUp || !(isAnew || (exists && (isNews || isMuch)))) return
    await this.#bases.remember()
    if (!this.#bases.isKnown) return
    if (isNews) this.#seen = seen
    const rows = [...this.#waiting].map((uuid) => this.#table.find(uuid)).filter((row) => row !== undefined)
    const gone = [...this.#gone]
    this.#waiting.clear()
    this.#gone.clear()
    try {
      await this.#own.ensure()
      if (isAnew) await this.#file.replace(segmentsOf(this.#table, this.#all(), this.#seen))
      else
        for (const segment of segmentsOf(this.#table, rows, isNews ? seen : undefined))
          await this.#file.append({ ...segment, gone })
    } catch {
      this.#givenUp = true
      this.#waiting.clear()
      this.#gone.clear()
    }
  }

  #all(): number[] {
    return this.#table.rows().filter((row) => this.#table.isAlive(row))
  }
}

/** One segment at least, whatever there is to say; the last says what is seen with them. */
function* segmentsOf(
  table: AspectTable,
  rows: readonly number[],
  seen: Seen | undefined,
): Generator<Segment> {
  let from = 0
  for (; from + ROWS < rows.length; from += ROWS) yield table.pack(rows.slice(from, from + ROWS))
  yield { ...table.pack(rows.slice(from)), ...(seen && { seen }) }
}
