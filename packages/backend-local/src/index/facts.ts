import type { Timestamp } from '@ivcap/core/driver'

/** The indexed fields of an aspect, as of one version of its file. */
export interface Fact extends Version {
  readonly uuid: string
  readonly entity: string
  readonly schema: string
  readonly validFrom?: Timestamp | undefined
  /** Absent: the record is not closed. */
  readonly validTo?: Timestamp | undefined
}

/** Distinguishes two states of a file. */
export interface Version {
  /** When the file was last changed, in nanoseconds since 1970, rounded to the precision of a number. */
  readonly changed: number
  /** Bytes. */
  readonly size: number
}

/** A fact in the table. It is updated when its file changes. */
export interface Entry extends Fact {
  /** Increases: an entry with a higher number was added later. */
  readonly number: number
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }
type Row = Writable<Entry> & { isRemoved: boolean }

/** By validFrom, then uuid. Records without a validFrom come first. */
export const compareFacts = (
  a: Pick<Fact, 'validFrom' | 'uuid'>,
  b: Pick<Fact, 'validFrom' | 'uuid'>,
): number => compareTexts(a.validFrom ?? '', b.validFrom ?? '') || compareTexts(a.uuid, b.uuid)

const compareTexts = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** All known aspects by uuid, entity and schema. */
export class FactTable {
  readonly #rows = new Map<string, Row>()
  readonly #byEntity = new Map<string, OrderedRows>()
  readonly #bySchema = new Map<string, OrderedRows>()
  readonly #all = new OrderedRows('')
  #end = 0

  get size(): number {
    return this.#rows.size
  }
  /** The number of the next entry. */
  get end(): number {
    return this.#end
  }
  /** All schemas ever added, including those without remaining entries. */
  get schemas(): readonly string[] {
    return [...this.#bySchema.keys()]
  }

  get(uuid: string): Entry | undefined {
    return this.#rows.get(uuid)
  }

  entries(): Iterable<Entry> {
    return this.#rows.values()
  }

  /** Returns a new array, ordered by validFrom, then uuid. */
  of({ entity, schema }: { readonly entity?: string; readonly schema?: string } = {}): readonly Entry[] {
    if (entity !== undefined) return this.#byEntity.get(entity)?.list() ?? []
    return (schema === undefined ? this.#all : this.#bySchema.get(schema))?.list() ?? []
  }

  /** Replaces the entry of the uuid. Returns false if nothing has changed. */
  put(fact: Fact): boolean {
    const { uuid, entity, schema, validFrom, validTo, changed, size } = fact
    const old = this.#rows.get(uuid)
    if (old?.entity === entity && old.schema === schema && old.validFrom === validFrom) {
      const isNews = old.validTo !== validTo || old.changed !== changed || old.size !== size
      Object.assign(old, { validTo, changed, size })
      return isNews
    }
    if (old !== undefined) old.isRemoved = true
    const ofEntity = groupOf(this.#byEntity, entity)
    const ofSchema = groupOf(this.#bySchema, schema)
    // use the strings of the groups, so that each text is in memory once
    const names = { entity: ofEntity.text, schema: ofSchema.text }
    const row = { uuid, ...names, validFrom, validTo, changed, size, number: this.#end++, isRemoved: false }
    this.#rows.set(uuid, row)
    for (const rows of [ofEntity, ofSchema, this.#all]) rows.add(row)
    return true
  }

  remove(uuid: string): void {
    const row = this.#rows.get(uuid)
    if (row === undefined) return
    row.isRemoved = true
    this.#rows.delete(uuid)
  }
}

/** Rows of one entity or schema, sorted on demand. Most are added in order. */
class OrderedRows {
  readonly text: string
  #rows: Row[] = []
  #isOrdered = true

  constructor(text: string) {
    this.text = text
  }

  add(row: Row): void {
    const last = this.#rows.at(-1)
    if (last !== undefined && compareFacts(last, row) > 0) this.#isOrdered = false
    this.#rows.push(row)
  }

  list(): readonly Row[] {
    if (!this.#isOrdered) this.#rows.sort(compareFacts)
    this.#isOrdered = true
    const listed = this.#rows.filter((row) => !row.isRemoved)
    if (listed.length < this.#rows.length) this.#rows = listed.slice()
    return listed
  }
}

function groupOf(groups: Map<string, OrderedRows>, text: string): OrderedRows {
  let group = groups.get(text)
  if (group === undefined) {
    group = new OrderedRows(text)
    groups.set(text, group)
  }
  return group
}
