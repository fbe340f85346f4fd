import { type Timestamp, timestamp } from '@ivcap/core/driver'
import { micros } from '@ivcap/core/internal'
import { AspectRows, type Numbers, ROW_BYTES, rowBytes } from './aspect-rows.js'
import { RowGroups } from './row-groups.js'
import { compareWords, UuidSlots, uuidOf, wordsOf } from './uuid-slots.js'

/** What the index keeps of one aspect's file: what it said when it was of this version. */
export interface Fact extends Version {
  readonly uuid: string
  readonly entity: string
  readonly schema: string
  readonly validFrom?: Timestamp | undefined
  /** Of a record that is closed. */
  readonly validTo?: Timestamp | undefined
}

export type Version = Pick<Numbers, 'changed' | 'size'>

/** A bunch of rows on their way, with what the numbers in them stand for. */
export interface PackedRows {
  readonly rows: Uint8Array
  readonly entities: readonly string[]
  readonly schemas: readonly string[]
}

/**
 * Which aspects there are, by uuid, entity and schema, in the order of validFrom; some 80 bytes each, beside the names of
 * entities and schemas. A row's number stands for the same fact for good, or for a dead one.
 */
export class AspectTable {
  readonly #rows = new AspectRows()
  readonly #slots = new UuidSlots(this.#rows)
  readonly #entities = this.#groups()
  readonly #schemas = this.#groups()
  readonly #all = this.#groups()
  #size = 0

  /** How many there are. */
  get size(): number {
    return this.#size
  }
  /** Rows with this number and above are yet to come. */
  get end(): number {
    return this.#rows.length
  }

  find(uuid: string): number | undefined {
    return this.#slots.find(wordsOf(uuid))
  }
  isAlive(row: number): boolean {
    return this.#rows.isAlive(row)
  }
  uuid(row: number): string {
    return uuidOf(this.#rows.words(row))
  }
  entity(row: number): string {
    return this.#entities.texts[this.#rows.entity(row)] ?? ''
  }
  schema(row: number): string {
    return this.#schemas.texts[this.#rows.schema(row)] ?? ''
  }
  validFrom(row: number): Timestamp | undefined {
    const from = this.#rows.from(row)
    return from === -Infinity ? undefined : timestamp(from)
  }
  /** Compared as numbers: times far from today have more digits than these hold. */
  beganAt(row: number, validFrom: Timestamp | undefined): boolean {
    return this.#rows.from(row) === (validFrom === undefined ? -Infinity : micros(validFrom))
  }
  validTo(row: number): Timestamp | undefined {
    const to = this.#rows.to(row)
    return to === Infinity ? undefined : timestamp(to)
  }
  isOpen(row: number): boolean {
    return this.#rows.to(row) === Infinity
  }
  /** Whether the record, with the end that is known of it, may be in force at this many microseconds since 1970. */
  maybeAt(row: number, at: number): boolean {
    return this.#rows.from(row) <= at && at < this.#rows.to(row)
  }
  isOf(row: number, { changed, size }: Version): boolean {
    return this.#rows.changed(row) === changed && this.#rows.size(row) === size
  }

  /** Takes the place of what was known of the same uuid. false: just that was known. */
  put(fact: Fact): boolean {
    const entity = this.#entities.numberOf(fact.entity)
    const schema = this.#schemas.numberOf(fact.schema)
    const { validFrom, validTo, changed, size } = fact
    const from = validFrom === undefined ? -Infinity : micros(validFrom)
    const to = validTo === undefined ? Infinity : micros(validTo)
    const bytes = rowBytes(wordsOf(fact.uuid), entity, schema, { from, to, changed, size })
    return this.#enter(this.#rows.append(bytes))
  }

  /** As `put`. Rows that can't be are left out. */
  unpack({ rows, entities, schemas }: PackedRows): void {
    const entityOf = entities.map((text) => this.#entities.numberOf(text))
    const schemaOf = schemas.map((text) => this.#schemas.numberOf(text))
    const first = this.#rows.append(rows)
    for (let row = first; row < this.#rows.length; row++) {
      const entity = entityOf[this.#rows.entity(row)]
      const schema = schemaOf[this.#rows.schema(row)]
      const isWhole = isTime(this.#rows.from(row)) && isTime(this.#rows.to(row))
      if (entity === undefined || schema === undefined || !isWhole) this.#rows.kill(row)
      else {
        this.#rows.name(row, entity, schema)
        this.#enter(row)
      }
    }
  }

  pack(rows: readonly number[]): PackedRows {
    const bytes = new Uint8Array(rows.length * ROW_BYTES)
    const words = new Uint32Array(bytes.buffer)
    const entities = new Map<string, number>()
    const schemas = new Map<string, number>()
    for (const [i, row] of rows.entries()) {
      bytes.set(this.#rows.bytes(row), i * ROW_BYTES)
      words[(i * ROW_BYTES) / 4 + 4] = numberIn(entities, this.entity(row))
      words[(i * ROW_BYTES) / 4 + 5] = numberIn(schemas, this.schema(row))
    }
    return { rows: bytes, entities: [...entities.keys()], schemas: [...schemas.keys()] }
  }

  remove(uuid: string): void {
    const row = this.find(uuid)
    if (row !== undefined) this.#kill(row)
  }

  /** By validFrom, then uuid. Some may be dead. The list changes when the table does: copy what is used later. */
  rows(of: { readonly entity?: string; readonly schema?: string } = {}): readonly number[] {
    if (of.entity !== undefined) return this.#entities.rows(of.entity)
    return of.schema === undefined ? this.#all.rows('') : this.#schemas.rows(of.schema)
  }

  /** All schemas there ever were. */
  get schemas(): readonly string[] {
    return this.#schemas.texts
  }

  /** Negative when the row comes before what began then and has that uuid. */
  compareTo(row: number, validFrom: Timestamp | null, uuid: string): number {
    const from = validFrom === null ? -Infinity : micros(validFrom)
    return compareTimes(this.#rows.from(row), from) || compareWords(this.#rows.words(row), wordsOf(uuid))
  }

  #groups(): RowGroups {
    return new RowGroups(
      (a, b) => compareTimes(this.#rows.from(a), this.#rows.from(b)) || this.#rows.compareUuids(a, b),
      (row) => this.#rows.isAlive(row),
    )
  }

  /** Makes a new row known, or tells the one that is known what is new. */
  #enter(row: number): boolean {
    const old = this.#slots.findSame(row)
    if (old !== undefined && this.#rows.isSame(old, row)) {
      this.#rows.kill(row)
      return this.#rows.take(old, row)
    }
    if (old !== undefined) this.#kill(old)
    this.#slots.add(row)
    this.#entities.link(row, this.#rows.entity(row))
    this.#schemas.link(row, this.#rows.schema(row))
    this.#all.link(row, this.#all.numberOf(''))
    this.#size++
    return true
  }

  #kill(row: number): void {
    this.#slots.remove(row)
    this.#rows.kill(row)
    this.#size--
  }
}

/** What a Date can tell, or no time at all. */
const isTime = (micros = Number.NaN): boolean => Math.abs(micros) <= 8.64e18 || Math.abs(micros) === Infinity

/** Not by subtraction: of two that are absent that makes no number. */
const compareTimes = (a: number, b: number): number => (a < b ? -1 : a > b ? 1 : 0)

function numberIn(numbers: Map<string, number>, text: string): number {
  const number = numbers.get(text) ?? numbers.size
  numbers.set(text, number)
  return number
}
