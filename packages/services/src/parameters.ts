import type { JsonObject, JsonValue } from '@ivcap/core/driver'
import { IvcapError, isUrn } from '@ivcap/core/driver'
import { parseArtifactId, show } from '@ivcap/core/internal'
import type { FunctionParameter } from './definition.js'

/**
 * Returns the parameters for the function: each of its declared type, with defaults filled in, and ids of artifacts in canonical
 * form. Members that start with `$`, such as `$schema`, belong to the request and are left out.
 *
 * @throws IvcapError `invalid-argument` that names the parameter
 */
export function checkParameters(
  declared: readonly FunctionParameter[] | undefined,
  params: JsonObject,
): JsonObject {
  if (declared === undefined) return params
  const names = declared.map(({ name }) => name)
  const unknown = Object.keys(params).find((name) => !name.startsWith('$') && !names.includes(name))
  if (unknown !== undefined) {
    const takes = names.length === 0 ? 'takes none' : `takes ${names.join(', ')}`
    throw invalid(unknown, `is not a parameter of this service, which ${takes}`)
  }
  const values: [string, JsonValue][] = []
  for (const parameter of declared) {
    // other languages send null for an omitted parameter
    const given = Object.hasOwn(params, parameter.name) ? params[parameter.name] : undefined
    const value = given ?? parameter.default
    if (value !== undefined) values.push([parameter.name, checkValue(parameter, value)])
    else if (!parameter.optional) throw invalid(parameter.name, `is missing: ${expectation(parameter)}`)
  }
  return Object.fromEntries(values)
}

export function checkValue(parameter: FunctionParameter, value: JsonValue): JsonValue {
  const { name, type } = parameter
  if (type === 'artifact') return parseArtifactId(value, `params.${name}`)
  if (matchesType(parameter, value)) return value
  const shown = typeof value === 'object' ? JSON.stringify(value) : show(value)
  throw invalid(name, `is ${shown.slice(0, 200)}; ${expectation(parameter)}`)
}

function matchesType({ type, options }: FunctionParameter, value: JsonValue): boolean {
  switch (type) {
    case 'string':
      return typeof value === 'string'
    case 'int':
      return Number.isSafeInteger(value)
    case 'float':
      return typeof value === 'number'
    case 'bool':
      return typeof value === 'boolean'
    case 'option':
      return options?.some((option) => option.value === value) ?? false
    case 'collection':
      return isUrn(value)
    case 'artifact':
      return true
  }
}

const EXPECTED: Readonly<Record<FunctionParameter['type'], string>> = {
  string: 'a text',
  int: 'a whole number',
  float: 'a number',
  bool: 'true or false',
  option: 'one of',
  artifact: 'the URN of an artifact',
  collection: 'the URN of a collection',
}

function expectation({ type, options = [] }: FunctionParameter): string {
  const values = options.map(({ value }) => show(value)).join(', ')
  return `give ${EXPECTED[type]}${type === 'option' ? ` ${values}` : ''}`
}

function invalid(name: string, what: string): IvcapError {
  return new IvcapError('invalid-argument', `params.${name} ${what}`, { argument: `params.${name}` })
}
