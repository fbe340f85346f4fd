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
  /** A schema, or a pattern in which `%` matches any characters. */
  readonly schema?: string
  /** SQL/JSON path that must match something in the content. In the path, the content has `$schema` and `$entity`. */
  readonly contentPath?: string
  readonly filter?: string
  /** Selects the records in force at this time. If absent: the records that are not closed, whatever the clock says. */
  readonly atTime?: Timestamp
  /** Comma-separated list of fields, in the spelling of IVCAP's API. */
  readonly orderBy: string
  readonly orderDirection: 'ASC' | 'DESC'
  readonly includeContent: boolean
  /** Items in this page: 1–50. */
  readonly limit: number
  readonly cursor?: string
}

export interface AspectStore {
  /**
   * `replace` also closes the records of the same (entity, schema) that are in force. The result omits fields that the backend does
   * not provide.
   */
  assert(draft: AspectDraft, mode: 'add' | 'replace', o: OpOptions): Promise<AspectRecord>
  /**
   * Adds all drafts in order, as `assert` does. For stores in which one call costs less than many. The client passes some hundreds
   * at a time. The first failure ends the call; aspects that were added before it stay.
   */
  assertMany?(drafts: readonly AspectDraft[], o: OpOptions): Promise<readonly AspectRecord[]>
  /** Also returns closed records. @throws `not-found` */
  get(id: Urn, o: OpOptions): Promise<AspectRecord>
  list(q: AspectQuery, o: OpOptions): Promise<Page<AspectRecord>>
  /** Closes the record. Idempotent. @throws `not-found` */
  retract(id: Urn, o: OpOptions): Promise<void>
}
