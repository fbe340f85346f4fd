import { isJsonObject, type JsonValue } from './json.js'
import type { Timestamp } from './time.js'
import type { Urn } from './urn.js'

export const PARAMETER_TYPES = ['string', 'int', 'float', 'bool', 'option', 'artifact', 'collection'] as const
/** `option`: one of the declared values. `artifact`, `collection`: a URN. */
export type ParameterType = (typeof PARAMETER_TYPES)[number]

export interface ParameterOption {
  readonly value: string
  readonly description?: string
}

/** One parameter, as the service declares it. */
export interface ServiceParameter {
  readonly name: string
  /** A `ParameterType`, or a type that this version does not know. */
  readonly type: ParameterType | (string & {})
  readonly description?: string
  readonly label?: string
  readonly unit?: string
  readonly optional?: boolean
  /** Used if the parameter is not given. IVCAP writes it as text. */
  readonly default?: string
  /** The allowed values of an `option`. */
  readonly options?: readonly ParameterOption[]
}

/** The record of a service. Fields that the backend did not provide are absent; a listing provides fewer. */
export interface ServiceRecord {
  readonly id: Urn
  readonly name?: string
  readonly description?: string
  /** `active`, `inactive`, `error`. */
  readonly status?: string
  /** The declared parameters. A service may accept more than it declares. */
  readonly parameters?: readonly ServiceParameter[]
  readonly tags?: readonly string[]
  readonly policy?: Urn
  readonly account?: string
  readonly validFrom?: Timestamp
  readonly validTo?: Timestamp
}

export const JOB_STATUSES = [
  'unknown',
  'pending',
  'scheduled',
  'executing',
  'succeeded',
  'failed',
  'error',
] as const
/** `failed`: the service reported a failure. `error`: the service ended without a report. */
export type JobStatus = (typeof JOB_STATUSES)[number]

/** The record of a job. Fields that the backend did not provide are absent; a listing provides fewer. */
export interface JobRecord {
  readonly id: Urn
  readonly service: Urn
  readonly name?: string
  readonly status: JobStatus
  readonly requestedAt?: Timestamp
  readonly startedAt?: Timestamp
  readonly finishedAt?: Timestamp
  /** The parameters. */
  readonly request?: JsonValue
  /** The result; for a failed job, the reason that it left. Absent if the job has no result, or one that is not JSON (see `resultType`). */
  readonly result?: JsonValue
  /** MIME type of the result. */
  readonly resultType?: string
  /** The aspect or artifact that holds the result, if the backend stores it there. */
  readonly resultUrn?: string
  readonly errorMessage?: string
  readonly policy?: Urn
  readonly account?: string
  /** Milliseconds before which another request is useless. */
  readonly retryAfter?: number
  /** The error that the function threw, with its stack. Known only to the process that ran it; never stored. */
  readonly failure?: Error
}

/** Whether the status is final. */
export const isFinished = (status: JobStatus): boolean =>
  status === 'succeeded' || status === 'failed' || status === 'error'

/** The reason in the result of a failed job, if it has the form of IVCAP's services: `{ error, type?, traceback? }`. */
export function reasonOf(result: JsonValue | undefined): string | undefined {
  const error = isJsonObject(result) ? result['error'] : undefined
  return typeof error === 'string' && error !== '' ? error : undefined
}

/** The error that made a job fail in its service, with the service's traceback as its stack. */
export function causeOf({ result }: Pick<JobRecord, 'result'>): Error | undefined {
  const reason = reasonOf(result)
  if (reason === undefined || !isJsonObject(result)) return undefined
  const { type, traceback } = result
  const cause = new Error(reason)
  if (typeof type === 'string' && type !== '') cause.name = type
  if (typeof traceback === 'string' && traceback !== '') cause.stack = traceback
  return cause
}
