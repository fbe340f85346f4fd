import { IvcapError } from '../../model/errors.js'
import type { JsonObject } from '../../model/json.js'
import { checkOptions } from '../../model/options.js'
import type { AspectRecord } from '../../model/records.js'
import type { Timestamp } from '../../model/time.js'
import type { Urn } from '../../model/urn.js'
import type { Context } from '../context.js'
import { inspectable } from '../inspect.js'
import { CALL_OPTIONS, type CallOptions, perform } from '../operation.js'

/** A handle on one aspect: a typed, time-bounded JSON assertion about an entity. */
export class Aspect {
  readonly #context: Context
  #record: AspectRecord
  /** Whether the record is as much as the place can tell; a list tells less. */
  #complete: boolean

  /** @internal Made by the client. */
  constructor(context: Context, record: AspectRecord, complete: boolean) {
    this.#context = context
    this.#record = record
    this.#complete = complete
  }

  /** `urn:ivcap:aspect:<uuid>` */
  get id(): Urn {
    return this.#record.id
  }
  /** What it is about: a URN, or any URI. */
  get entity(): string {
    return this.#record.entity
  }
  get schema(): string {
    return this.#record.schema
  }

  /**
   * The JSON content. It has `$schema` and no `$entity`, on every backend.
   *
   * @throws IvcapError `missing-argument` when it was listed with `includeContent: false` and not loaded since
   */
  get content(): JsonObject {
    const { content, schema, id } = this.#record
    if (content !== undefined) return normalContent(content, schema)
    const message = `the content of ${id} was left out of the list: await aspect.load(), or list with includeContent: true`
    throw new IvcapError('missing-argument', message, { resource: id, argument: 'includeContent' })
  }

  /** In force from then on. To the millisecond; `record.validFrom` has the microseconds. */
  get validFrom(): Date | undefined {
    return dateOf(this.#record.validFrom)
  }
  /** In force until just before then; undefined while in force. */
  get validTo(): Date | undefined {
    return dateOf(this.#record.validTo)
  }
  get asserter(): string | undefined {
    return this.#record.asserter
  }
  get retracter(): string | undefined {
    return this.#record.retracter
  }
  get policy(): Urn | undefined {
    return this.#record.policy
  }
  /** The record that this one took the place of. */
  get replaces(): Urn | undefined {
    return this.#record.replaces
  }
  /** All that is known of it so far. */
  get record(): AspectRecord {
    return this.#record
  }

  /** Fetches what a list or an answer did not tell (content, asserter, replaces…), if anything; returns this aspect. */
  async load(o: CallOptions = {}): Promise<this> {
    const checked = checkOptions(o, CALL_OPTIONS, 'load')
    return this.#complete ? this : this.refresh(checked)
  }

  /** Fetches the record anew; returns this aspect. */
  async refresh(o: CallOptions = {}): Promise<this> {
    const checked = checkOptions(o, CALL_OPTIONS, 'refresh')
    this.#record = await fetchRecord(this.#context, 'refresh', this.id, checked)
    this.#complete = true
    return this
  }

  /** Closes the aspect: no longer in force, still readable by id and as of earlier times. Returns this aspect. */
  async retract(o: CallOptions = {}): Promise<this> {
    const checked = checkOptions(o, CALL_OPTIONS, 'retract')
    await perform(this.#context, 'retract', checked, (op) =>
      this.#context.backend.aspects.retract(this.id, op),
    )
    return this.refresh(checked)
  }

  /** The records that it came from by updates, newest first, beginning with itself. */
  async *history(o: CallOptions = {}): AsyncGenerator<Aspect> {
    const checked = checkOptions(o, CALL_OPTIONS, 'history')
    const seen = new Set<Urn>()
    let aspect: Aspect = this
    while (!seen.has(aspect.id)) {
      seen.add(aspect.id)
      await aspect.load(checked)
      yield aspect
      if (aspect.replaces === undefined) return
      aspect = new Aspect(
        this.#context,
        await fetchRecord(this.#context, 'history', aspect.replaces, checked),
        true,
      )
    }
  }

  /** The record, content normalised: what `JSON.stringify(aspect)` shows. */
  toJSON(): AspectRecord {
    const { content, schema } = this.#record
    return content === undefined ? this.#record : { ...this.#record, content: normalContent(content, schema) }
  }

  toString(): string {
    return `Aspect ${this.id} (${this.schema} of ${this.entity})`
  }
}

inspectable(
  Aspect.prototype,
  'Aspect',
  ({ record: { id, entity, schema, content, validFrom, validTo } }) => ({
    id,
    entity,
    schema,
    content,
    validFrom,
    validTo,
  }),
)

export function fetchRecord(
  context: Context,
  operation: string,
  id: Urn,
  o: CallOptions,
): Promise<AspectRecord> {
  return perform(context, operation, o, (op) => context.backend.aspects.get(id, op))
}

/** Places differ in whether they keep `$schema` and `$entity` inside: users always see the first, never the second. */
function normalContent(content: JsonObject, schema: string): JsonObject {
  const { $schema: _schema, $entity: _entity, ...rest } = content
  return { $schema: schema, ...rest }
}

export const dateOf = (time: Timestamp | undefined): Date | undefined =>
  time === undefined ? undefined : new Date(time)
