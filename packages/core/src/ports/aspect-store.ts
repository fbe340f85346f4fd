import type { JsonObject } from '../model/json.js'
import type { AspectRecord } from '../model/records.js'
import type { Timestamp } from '../model/time.js'
import type { Urn } from '../model/urn.js'
import type { OpOptions, Page } from './operation.js'

export interface AspectDraft {
  readonly entity: string
  readonly schema: string
  /** Has `$schema`, equal to `schema`, and no `$entity`. */
  readonly content: JsonObject
  readonly policy?: Urn
}

export interface AspectQuery {
  readonly entity?: string
  /** A schema, or with `%` (any run of characters) a pattern of them. */
  readonly schema?: string
  /** SQL/JSON path that finds something in the content; that has `$schema` and `$entity` here. */
  readonly contentPath?: string
  readonly filter?: string
  /** In force at that time; absent: not closed, whatever the clock says. */
  readonly atTime?: Timestamp
  /** Comma list of fields, as IVCAP's API names them. */
  readonly orderBy: string
  readonly orderDirection: 'ASC' | 'DESC'
  readonly includeContent: boolean
  /** Items in this page: 1–50. */
  readonly limit: number
  readonly cursor?: string
}

export interface AspectStore {
  /**
   * `replace` also closes the records of the same (entity, schema) that are in force. Fields that the place doesn't tell
   * are absent in the answer.
   */
  assert(draft: AspectDraft, mode: 'add' | 'replace', o: OpOptions): Promise<AspectRecord>
  /**
   * Adds each, as `assert` does, in their order: for places where many together cost less than one by one. The client hands
   * over some hundreds at a time. The first failure ends it; those added before stay.
   */
  assertMany?(drafts: readonly AspectDraft[], o: OpOptions): Promise<readonly AspectRecord[]>
  /** Also of a closed one. @throws `not-found` */
  get(id: Urn, o: OpOptions): Promise<AspectRecord>
  list(q: AspectQuery, o: OpOptions): Promise<Page<AspectRecord>>
  /** Closes the record; done already is done. @throws `not-found` */
  retract(id: Urn, o: OpOptions): Promise<void>
}
