/** Types of aspects with validated, typed contents. */
import type { JsonObject } from '../../model/json.js'
import type { AspectRecord } from '../../model/records.js'
import { checkSchema, type StandardSchema, validated } from '../../model/standard-schema.js'
import { parseUri } from '../../model/urn.js'
import type { Context } from '../context.js'
import { Aspect } from './aspect.js'

/** Shared by all copies of this package in a process (ESM, CJS, duplicates), where `instanceof` would fail. */
const brand = Symbol.for('@ivcap/core/AspectType')

/** A schema and the validator of its aspects' contents. Created by `defineAspect`. */
export class AspectType<Input = unknown, Output = unknown> {
  /** URN (or any URI). */
  readonly schema: string
  readonly [brand] = true
  readonly #validator: StandardSchema<Input, Output>

  /** @internal Created by `defineAspect`. */
  constructor(schema: string, validator: StandardSchema<Input, Output>) {
    this.schema = schema
    this.#validator = validator
  }

  /** Validates a value and returns the content to store. @throws IvcapError `invalid-argument`, with `issues` */
  async toContent(value: unknown): Promise<Output> {
    const what = `content of ${this.schema}`
    return validated(this.#validator, value, { code: 'invalid-argument', what, argument: 'content' })
  }

  /** Validates a stored content and returns its value. @throws IvcapError `integrity`, with `issues` */
  async fromContent(content: JsonObject, resource: string): Promise<Output> {
    const { $schema: _schema, $entity: _entity, ...rest } = content
    const what = `the content of ${resource}`
    return validated(this.#validator, rest, { code: 'integrity', what, resource })
  }
}

/**
 * Defines a type of aspects: `const Quality = defineAspect('urn:example:schema:quality.1', z.object({ level: z.string() }))`.
 * Contents are validated when they are written and when they are read. The validator must not expect `$schema`, which is added
 * to the stored content and removed from it.
 *
 * @param validator any Standard Schema, e.g. of zod, valibot or arktype
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

/** An aspect whose content was validated. */
export class TypedAspect<T> extends Aspect {
  /** The content as returned by the validator. `content` is the stored JSON. */
  readonly value: T

  /** @internal Created by the client. */
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
