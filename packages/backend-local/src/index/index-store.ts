import { isJsonObject, type JsonObject } from '@ivcap/core/driver'
import type { Bases } from '../bases.js'
import type { LocalFs } from '../fs/local-fs.js'
import type { OwnFolder } from '../fs/own-folder.js'
import type { Staging } from '../fs/staging.js'
import { BatchFile } from './batch-file.js'
import { type Entry, type Fact, FactTable } from './facts.js'

/** Minimum number of records for an index. Fewer records are read faster without one. */
const WORTHWHILE = 256
/** Upper limit of pending facts. If the process dies, the next one reads up to this many files again. */
const MAX_WAITING = 512
/** Upper limit of pending contents, in characters. */
const MAX_WAITING_TEXT = 4 * 1024 * 1024
/** Maximum characters of a stored content. A larger one is read from its own file. */
const MAX_CONTENT = 64 * 1024
/** A file with more batches than this is rewritten. The limit grows with the number of records. */
const MAX_BATCHES = 16
/** Lines of one batch when the file is rewritten. */
const BATCH = 8192
/** If more names than this are refused, no snapshot is stored. */
const MAX_REFUSED = 1000

/** The state of the folder of aspects when its names were read, and the names in it that are not aspects. */
export interface Snapshot {
  /** When the folder was last changed, in ns. */
  readonly changed: bigint
  readonly refused: readonly string[]
}

/**
 * The table of facts and its files, which all processes read and append to. Facts are lines `[uuid, entity, schema, validFrom,
 * validTo, changed, size]` of one file. Contents are lines `[uuid, changed, content]` of another. Failures to read or write these
 * files are ignored: the process then reads the records themselves.
 */
export class IndexStore {
  readonly #facts: BatchFile
  readonly #contents: BatchFile
  readonly #bases: Bases
  readonly #own: OwnFolder
  /** Uuids of pending entries, with the lines of their contents. */
  readonly #waiting = new Map<string, string>()
  #waitingText = 0
  readonly #gone = new Set<string>()
  #table = new FactTable()
  #snapshot: Snapshot | undefined
  #givenUp = false

  constructor(parts: {
    readonly fs: LocalFs
    readonly paths: { readonly facts: string; readonly contents: string }
    readonly staging: Staging
    readonly bases: Bases
    readonly own: OwnFolder
  }) {
    const { fs, paths, staging, own } = parts
    this.#own = own
    this.#bases = parts.bases
    this.#facts = new BatchFile(fs, paths.facts, staging, own)
    this.#contents = new BatchFile(fs, paths.contents, staging, own)
  }

  /** A new table after another process has replaced the file. */
  get table(): FactTable {
    return this.#table
  }
  /** The state of the folder for which the table is complete; undefined if it is not known. */
  get snapshot(): Snapshot | undefined {
    return this.#snapshot
  }

  learn(fact: Fact, content: JsonObject): void {
    if (this.#table.put(fact) && !this.#givenUp) this.keepContent(fact, content)
    this.#gone.delete(fact.uuid)
  }

  /** Adds the content to the next batch. */
  keepContent({ uuid, changed }: Fact, content: JsonObject): void {
    const line = `${JSON.stringify([uuid, changed, content])}\n`
    this.#waitingText += line.length
    this.#waiting.set(uuid, line.length > MAX_CONTENT ? '' : line)
  }

  forget(uuid: string): void {
    this.#table.remove(uuid)
    this.#waiting.delete(uuid)
    if (this.#facts.exists && !this.#givenUp) this.#gone.add(uuid)
  }

  /** Forgets everything; the files are read from their beginning. */
  reset(): void {
    this.#restart()
    this.#clearWaiting()
    this.#facts.reset()
  }

  /** Forgets everything and removes the files. */
  async discard(): Promise<void> {
    await this.#facts.remove()
    await this.#contents.remove()
    this.reset()
  }

  /** Reads entries that other processes have written. The index of a folder that was moved is ignored. */
  async read(): Promise<void> {
    if (!this.#bases.isKnown) return
    await this.#facts
      .read(
        () => this.#restart(),
        (lines) => {
          // one call for all lines: a line break within a text is escaped
          for (const line of parseLines(lines)) this.#take(line)
        },
      )
      .catch(() => {})
  }

  /** Yields the stored contents of the selected entries, if they are from the same version of the file as the entry. */
  async *contents(isWanted: (entry: Entry) => boolean): AsyncGenerator<readonly [Entry, JsonObject]> {
    if (!this.#bases.isKnown) return
    try {
      for await (const lines of this.#contents.all()) {
        const text = lines.toString()
        for (const [start, end] of linesOf(text)) {
          const entry = this.#table.get(uuidAt(text, start))
          if (entry === undefined || !isWanted(entry)) continue
          const [, changed, content] = parseArray(text.slice(start, end))
          if (changed === entry.changed && isJsonObject(content))
            yield [entry, this.#bases.currentContent(content)]
        }
      }
    } catch {
      // missing contents are read from the records
    }
  }

  /** Writes pending entries, if there are enough of them. `snapshot`: the state of the folder for which the table is complete. */
  async write(snapshot?: Snapshot): Promise<void> {
    const { exists, isDamaged, batches } = this.#facts
    const maxBatches = MAX_BATCHES + this.#table.size / 4096
    const isAnew = exists ? isDamaged || batches > maxBatches : this.#table.size >= WORTHWHILE
    const isNews =
      snapshot !== undefined &&
      snapshot.changed !== this.#snapshot?.changed &&
      snapshot.refused.length <= MAX_REFUSED
    const isMuch =
      this.#waiting.size + this.#gone.size >= MAX_WAITING || this.#waitingText >= MAX_WAITING_TEXT
    if (this.#waitingText >= MAX_WAITING_TEXT && !exists && !isAnew) this.#dropContents()
    if (this.#givenUp || !(isAnew || (exists && (isNews || isMuch)))) return
    await this.#bases.remember()
    if (!this.#bases.isKnown) return
    if (isNews) this.#snapshot = snapshot
    const contents = [...this.#waiting.values()].join('')
    const facts = [...this.#waiting.keys()].flatMap((uuid) => this.#table.get(uuid) ?? [])
    const gone = [...this.#gone].map((uuid) => `${JSON.stringify([uuid])}\n`).join('')
    this.#clearWaiting()
    try {
      await this.#own.ensure()
      if (contents !== '') await this.#contents.append(contents)
      if (isAnew) {
        await this.#facts.replace(batchesOf(this.#table, this.#snapshot))
        await this.#cleanContents(maxBatches)
      } else {
        const lines = facts.map(factLine).join('') + gone
        await this.#facts.append(lines, isNews ? snapshotLine(snapshot) : '')
      }
    } catch {
      this.#givenUp = true
      this.#clearWaiting()
    }
  }

  /** Rewrites the contents without those of earlier versions, if the file is damaged or has too many batches. */
  async #cleanContents(maxBatches: number): Promise<void> {
    const batches = await this.#contents.count()
    if (batches === undefined || batches > 4 * maxBatches)
      await this.#contents.replace(this.#currentContents())
  }

  async *#currentContents(): AsyncGenerator<string> {
    for await (const lines of this.#contents.all()) {
      const text = lines.toString()
      let current = ''
      for (const [start, end] of linesOf(text)) {
        const changed = this.#table.get(uuidAt(text, start))?.changed
        if (text.startsWith(`${changed},`, start + UUID_END + 2)) current += text.slice(start, end)
      }
      yield current
    }
  }

  #take(line: unknown): void {
    if (isJsonObject(line)) {
      this.#snapshot = decodeSnapshot(line) ?? this.#snapshot
      return
    }
    if (!Array.isArray(line) || !isText(line[0])) return
    if (line.length === 1) {
      this.#table.remove(line[0])
      return
    }
    const fact = decodeFact(line)
    // the process that wrote it may have the folder under another path
    if (fact !== undefined) this.#table.put({ ...fact, entity: this.#bases.current(fact.entity) })
  }

  #restart(): void {
    this.#table = new FactTable()
    this.#snapshot = undefined
  }

  #clearWaiting(): void {
    this.#waiting.clear()
    this.#waitingText = 0
    this.#gone.clear()
  }

  #dropContents(): void {
    for (const uuid of this.#waiting.keys()) this.#waiting.set(uuid, '')
    this.#waitingText = 0
  }
}

/** Where the uuid starts and ends in a line of contents. */
const UUID_START = 2
const UUID_END = UUID_START + 36

const uuidAt = (text: string, line: number): string => text.slice(line + UUID_START, line + UUID_END)

function* batchesOf(table: FactTable, snapshot: Snapshot | undefined): Generator<string> {
  let lines: string[] = []
  for (const entry of table.entries()) {
    lines.push(factLine(entry))
    if (lines.length < BATCH) continue
    yield lines.join('')
    lines = []
  }
  if (snapshot !== undefined) lines.push(snapshotLine(snapshot))
  yield lines.join('')
}

const factLine = ({ uuid, entity, schema, validFrom, validTo, changed, size }: Fact): string =>
  `${JSON.stringify([uuid, entity, schema, validFrom ?? null, validTo ?? null, changed, size])}\n`

const snapshotLine = ({ changed, refused }: Snapshot): string =>
  `${JSON.stringify({ changed: String(changed), refused })}\n`

function decodeFact(line: readonly unknown[]): Fact | undefined {
  const [uuid, entity, schema, validFrom, validTo, changed, size] = line
  if (!isText(uuid) || !isText(entity) || !isText(schema)) return undefined
  if (typeof changed !== 'number' || typeof size !== 'number') return undefined
  const from = isText(validFrom) ? validFrom : undefined
  return {
    uuid,
    entity,
    schema,
    validFrom: from,
    validTo: isText(validTo) ? validTo : undefined,
    changed,
    size,
  }
}

function decodeSnapshot({ changed, refused }: JsonObject): Snapshot | undefined {
  if (typeof changed !== 'string' || !/^\d{1,20}$/.test(changed) || !Array.isArray(refused)) return undefined
  return { changed: BigInt(changed), refused: refused.filter(isText) }
}

const isText = (value: unknown): value is string => typeof value === 'string'

function parseLines(lines: Buffer): readonly unknown[] {
  const text = lines.toString().trimEnd()
  return text === '' ? [] : parseArray(`[${text.replaceAll('\n', ',')}]`)
}

/** Cannot fail: the digest of the batch was correct, so this package wrote it. */
function parseArray(text: string): readonly unknown[] {
  const parsed: unknown = JSON.parse(text)
  return Array.isArray(parsed) ? parsed : []
}

/** Where each line begins and ends. */
function* linesOf(text: string): Generator<readonly [start: number, end: number]> {
  for (let start = 0; start < text.length; ) {
    const end = text.indexOf('\n', start) + 1 || text.length
    yield [start, end]
    start = end
  }
}
