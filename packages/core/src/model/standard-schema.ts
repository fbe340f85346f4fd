/** The common interface of zod, valibot, arktype and other libraries, version 1: https://standardschema.dev. */
import { type Issue, IvcapError, type IvcapErrorCode } from './errors.js'
import { show } from './urn.js'

export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => Result<Output> | Promise<Result<Output>>
    /** Used only by the compiler. */
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
  }
}

type Result<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] }

interface StandardIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** The output type of a schema, which may differ from its input type, e.g. because defaults are filled in. */
export type OutputOf<S extends StandardSchema> = NonNullable<S['~standard']['types']>['output']

/** @throws IvcapError `invalid-argument` */
export function checkSchema<S extends StandardSchema>(schema: S, argument: string): S {
  const given: unknown = schema
  const standard: unknown =
    (typeof given === 'object' || typeof given === 'function') && given !== null
      ? Reflect.get(given, '~standard')
      : undefined
  if (typeof standard === 'object' && standard !== null && 'validate' in standard) return schema
  const message = `${argument} must be a Standard Schema, such as one of zod, valibot or arktype, not ${show(given)}`
  throw new IvcapError('invalid-argument', message, { argument })
}

/** The checked value, for error messages. */
export interface Checked {
  readonly code: IvcapErrorCode
  /** e.g. `the content of urn:…`. */
  readonly what: string
  readonly argument?: string
  readonly resource?: string
}

/**
 * Validates a value and returns the output of the schema.
 *
 * @throws IvcapError with `issues`, if the schema refuses the value
 */
export async function validated<Output>(
  schema: StandardSchema<unknown, Output>,
  value: unknown,
  { code, what, ...details }: Checked,
): Promise<Output> {
  const result = await schema['~standard'].validate(value)
  if (result.issues === undefined) return result.value
  const issues: readonly Issue[] = result.issues.map(({ message, path = [] }) => ({
    message,
    // some schema libraries use their own array types
    path: Array.from(path, (part) => String(typeof part === 'object' ? part.key : part)),
  }))
  const [first] = issues
  const more = issues.length > 1 ? `, and ${issues.length - 1} more` : ''
  const place = first === undefined || first.path.length === 0 ? '' : `${first.path.join('.')}: `
  const message = `${what} is not what its schema asks for: ${place}${first?.message ?? 'it was refused'}${more}`
  throw new IvcapError(code, message, { ...details, issues })
}
