import { IvcapError } from '../../model/errors.js'
import type { JsonObject } from '../../model/json.js'
import { checkOptions, type OptionNames } from '../../model/options.js'
import type { AspectRecord } from '../../model/records.js'
import type { Urn } from '../../model/urn.js'
import type { OpOptions } from '../../ports/index.js'
import { checkLimit } from '../arguments.js'
import { dateOf, Handle, type Summary } from '../handle.js'
import { type Listing, listingOfPages, type RunStep, type Slice } from '../listing.js'
import { CALL_OPTIONS, type CallOptions } from '../operation.js'

export interface HistoryOptions extends CallOptions {
  /** Maximum number of records. @default Infinity */
  readonly limit?: number | undefined
}

const HISTORY_OPTIONS: OptionNames<HistoryOptions> = { limit: true, ...CALL_OPTIONS }

/** A handle on one aspect: a typed, time-bounded JSON assertion about an entity. */
export class Aspect extends Handle<AspectRecord> {
  /** `urn:ivcap:aspect:<uuid>` */
  get id(): Urn {
    return this.record.id
  }
  /** The entity that the aspect describes: a URN, or any URI. */
  get entity(): string {
    return this.record.entity
  }
  get schema(): string {
    return this.record.schema
  }

  /**
   * The JSON content. On every backend it has `$schema`, and never `$entity`.
   *
   * @throws IvcapError `missing-argument` if the aspect was listed with `includeContent: false` and was not loaded since
   */
  get content(): JsonObject {
    const { content, schema, id } = this.record
    if (content !== undefined) return normalContent(content, schema)
    const message = `the content of ${id} was left out of the list: await aspect.load(), or list with includeContent: true`
    throw new IvcapError('missing-argument', message, { resource: id, argument: 'includeContent' })
  }

  /** Start of validity, with millisecond precision; `record.validFrom` has microseconds. */
  get validFrom(): Date | undefined {
    return dateOf(this.record.validFrom)
  }
  /** End of validity (exclusive); undefined while the aspect is in force. */
  get validTo(): Date | undefined {
    return dateOf(this.record.validTo)
  }
  get asserter(): string | undefined {
    return this.record.asserter
  }
  get retracter(): string | undefined {
    return this.record.retracter
  }
  get policy(): Urn | undefined {
    return this.record.policy
  }
  /** The record that this one replaced. */
  get replaces(): Urn | undefined {
    return this.record.replaces
  }

  /** Retracts the aspect: it is no longer in force, but can still be read by id and at earlier times. Returns this aspect. */
  async retract(o: CallOptions = {}): Promise<this> {
    await this.call('retract', o, CALL_OPTIONS, (op) => this.context.backend.aspects.retract(this.id, op))
    return this.refresh(o)
  }

  /** Lists this record and those that it replaced by updates, newest first. Returns all of them by default. */
  history(o: HistoryOptions = {}): Listing<Aspect> {
    const { limit = Number.POSITIVE_INFINITY, ...call } = checkOptions(o, HISTORY_OPTIONS, 'history')
    return listingOfPages(this.context, 'history', { ...call, limit: checkLimit(limit) }, (run) =>
      this.#versions(run),
    )
  }

  async *#versions(run: RunStep): AsyncGenerator<Slice<Aspect>> {
    const seen = new Set<Urn>()
    let version: Aspect = await run((op) => this.loadStep(op))
    for (;;) {
      seen.add(version.id)
      const { replaces } = version
      // records that replace each other in a cycle are damaged
      const isLast = replaces === undefined || seen.has(replaces)
      yield { items: [version], more: !isLast }
      if (isLast) return
      const record = await run((op) => this.context.backend.aspects.get(replaces, op))
      version = new Aspect(this.context, record, true)
    }
  }

  /** The record with normalised content, as `JSON.stringify(aspect)` shows it. */
  toJSON(): AspectRecord {
    const { content, schema } = this.record
    return content === undefined ? this.record : { ...this.record, content: normalContent(content, schema) }
  }

  protected fetch(op: OpOptions): Promise<AspectRecord> {
    return this.context.backend.aspects.get(this.id, op)
  }

  protected summary(): Summary {
    const { id, entity, schema, content, validFrom, validTo } = this.record
    return {
      kind: 'Aspect',
      label: `${schema} of ${entity}`,
      fields: { id, entity, schema, content, validFrom, validTo },
    }
  }
}

/** Some backends keep `$schema` and `$entity` in the content, others don't. Users always see `$schema` and never `$entity`. */
function normalContent(content: JsonObject, schema: string): JsonObject {
  const { $schema: _schema, $entity: _entity, ...rest } = content
  return { $schema: schema, ...rest }
}
