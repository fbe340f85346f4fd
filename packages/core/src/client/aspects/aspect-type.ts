/** Kinds of aspects whose contents are checked and typed. */
import type { JsonObject } from '../../model/json.js'
import type { AspectRecord } from '../../model/records.js'
import { checkSchema, type StandardSchema, validated } from '../../model/standard-schema.js'
import { parseUri } from '../../model/urn.js'
import type { Context } from '../context.js'
import { Aspect } from './aspect.js'

/** Shared by every copy of this package in a process (ESM, CJS, duplicates), where `instanceof` would fail. */
const brand = Symbol.for('@ivcap/core/AspectType')

/** A schema, and what checks the contents of its aspects. Made by `defineAspect`. */
export class AspectType<Input = unknown, Output = unknown> {
  /** URN (or any URI). */
  readonly schema: string
  readonly [brand] = true
  readonly #validator: StandardSchema<Input, Output>

  /** @internal Made by `defineAspect`. */
  constructor(schema: string, validator: StandardSchema<Input, Output>) {
    this.schema = schema
    this.#validator = validator
  }

  /** The content to store. @throws IvcapError `invalid-argument`, with `issues` */
  async toContent(value: unknown): Promise<Output> {
    const what = `content of ${this.schema}`
    return validated(this.#validator, value, { code: 'invalid-argument', what, argument: 'content' })
  }

  /** What a stored content says. @throws IvcapError `integrity`, with `issues` */
  async fromContent(content: JsonObject, resource: string): Promise<Output> {
    const { $schema: _schema, $entity: _entity, ...rest } = content
    const what = `the content of ${resource}`
    return validated(this.#validator, rest, { code: 'integrity', what, resource })
  }
}

/**
 * A kind of aspect: `const Quality = defineAspect('urn:example:schema:quality.1', z.object({ level: z.string() }))`. What is
 * written and read as a `Quality` is checked; without `$schema`, which the aspect has of itself.
 *
 * @param validator any Standard Schema: of zod, valibot, arktype, …
 * @throws IvcapError `invalid-argument`
 */
export function defineAspect<Input, Output>(
  schema: string,
  validator: StandardSchema<Input, Output>,
): AspectType<Input, Output> {
  return new AspectType(parseUri(schema, 'schema'), checkSchema(validator, 'validator'))
}

/** Whether `x` was made by `defineAspect`. Works across copies of the package. */
export const isAspectType = (x: unknown): x is AspectType => typeof x === 'object' && x !== null && brand in x

/** An aspect whose content was checked. */
export class TypedAspect<T> extends Aspect {
  /** The content, as its type gives it. `content` is the JSON that is stored. */
  readonly value: T

  /** @internal Made by the client. */
  constructor(context: Context, record: AspectRecord, value: T) {
    super(context, record, false)
    this.value = value
  }
}

/** @throws IvcapError `integrity`, with `issues` */
export async function typedAspect<T>(
  context: Context,
  type: AspectType<unknown, T>,
  record: AspectRecord,
): Promise<TypedAspect<T>> {
  const { content } = new Aspect(context, record, false)
  return new TypedAspect(context, record, await type.fromContent(content, record.id))
}
