import type { Artifact, CallOptions, Ivcap, UploadOptions } from '@ivcap/core'
import type { JsonValue, Urn } from '@ivcap/core/driver'
import { checkOptions, IvcapError } from '@ivcap/core/driver'
import type { ParameterOption, ParameterType } from '@ivcap/core/internal'
import { isPlain, type OptionNames, show } from '@ivcap/core/internal'

/** One parameter of a function. */
export interface FunctionParameter {
  readonly name: string
  /** An `artifact` is passed as a handle, a `collection` as its URN, an `option` as one of the values in `options`. */
  readonly type: ParameterType
  readonly description?: string
  readonly label?: string
  readonly unit?: string
  readonly optional?: boolean
  /** The value if the request has none. */
  readonly default?: string | number | boolean
  readonly options?: readonly ParameterOption[]
}

/** The type of the value that a function gets, by parameter type. */
interface ValueOf {
  readonly string: string
  readonly int: number
  readonly float: number
  readonly bool: boolean
  readonly option: string
  readonly artifact: Artifact
  readonly collection: Urn
}

/** A value that a function gets: the JSON of the request if the function declares no parameters. */
export type ParameterValue = JsonValue | Artifact

type IfOmitted<P> = P extends { readonly default: string | number | boolean }
  ? never
  : P extends { readonly optional: true }
    ? undefined
    : never

/** The parameters of a function by name, typed by their declaration. */
export type ParametersOf<P extends readonly FunctionParameter[] | undefined> =
  P extends readonly FunctionParameter[]
    ? { readonly [D in P[number] as D['name']]: ValueOf[D['type']] | IfOmitted<D> }
    : { readonly [name: string]: JsonValue }

/** The second argument of a function. */
export interface JobContext {
  /** `urn:ivcap:job:<uuid>` */
  readonly job: Urn
  readonly service: Urn
  /** Aborts when the job exceeds its timeout or its process ends. All operations of this context abort with it. */
  readonly signal: AbortSignal
  /**
   * The client of the job. Records the artifacts that it uploads as made by the job, and those that it reads as used by it.
   * It reads artifacts of the backend only, and no files of this machine.
   */
  readonly ivcap: Ivcap
  /** Like `ivcap.uploadArtifact`. */
  uploadArtifact(o: UploadOptions): Promise<Artifact>
  /** Like `ivcap.getArtifact`. */
  getArtifact(id: string, o?: CallOptions): Promise<Artifact>
}

/** Parameters by name, without declared types. */
export interface JobParameters {
  readonly [name: string]: ParameterValue | undefined
}

/** A service that is a function. */
export interface FunctionService {
  readonly name: string
  /** `urn:ivcap:service:<uuid>`. @default derived from the name, equal in every process */
  readonly id?: string | undefined
  readonly description?: string | undefined
  /** Requests with other parameters are rejected. Without it, the function gets any JSON object unchanged. */
  readonly parameters?: readonly FunctionParameter[] | undefined
  /** Maximum milliseconds from request to end. @default 3600000 */
  readonly timeout?: number | undefined
  /** Returns JSON or nothing. If it throws, the job fails with the error's message. */
  run(params: JobParameters, context: JobContext): unknown
}

type Typed<P extends readonly FunctionParameter[] | undefined> = Omit<
  FunctionService,
  'parameters' | 'run'
> & {
  readonly parameters?: P
  run(params: ParametersOf<P>, context: JobContext): unknown
}

const NAMES: OptionNames<FunctionService> = {
  name: true,
  id: true,
  description: true,
  parameters: true,
  timeout: true,
  run: true,
}

/** @throws IvcapError `invalid-argument` for an invalid definition or unknown members */
export function checkDefinition(definition: FunctionService, where: string): void {
  const given: unknown = definition
  if (typeof given !== 'object' || given === null)
    throw invalid(where, `must be an object with name and run, not ${show(given)}`)
  // an instance of a class may have other members
  if (isPlain(given)) checkOptions(definition, NAMES, where)
  const { name, run, parameters, description } = definition
  if (typeof name !== 'string' || name.trim() === '')
    throw invalid(`${where}.name`, 'must be a text that is not empty')
  if (typeof run !== 'function') throw invalid(`${where}.run`, 'must be a function')
  if (parameters !== undefined && !Array.isArray(parameters))
    throw invalid(`${where}.parameters`, `must be a list, not ${show(parameters)}`)
  if (description !== undefined && typeof description !== 'string')
    throw invalid(`${where}.description`, `must be a text, not ${show(description)}`)
}

function invalid(argument: string, what: string): IvcapError {
  return new IvcapError('invalid-argument', `${argument} ${what}`, { argument })
}

/**
 * Returns the definition unchanged. Its `run` gets parameters with the types that `parameters` declares.
 *
 * @throws IvcapError `invalid-argument` for an invalid definition
 */
export const defineService = <const P extends readonly FunctionParameter[] | undefined = undefined>(
  definition: Typed<P>,
): FunctionService => {
  checkDefinition(definition, 'defineService')
  return definition
}
