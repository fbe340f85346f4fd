import { isJsonObject, type JsonValue } from './json.js'
import type { Timestamp } from './time.js'
import type { Urn } from './urn.js'

export const PARAMETER_TYPES = ['string', 'int', 'float', 'bool', 'option', 'artifact', 'collection'] as const
/** `option`: one of the declared values; `artifact`, `collection`: a URN. */
export type ParameterType = (typeof PARAMETER_TYPES)[number]

export interface ParameterOption {
  readonly value: string
  readonly description?: string
}

/** One parameter, as the service declares it. */
export interface ServiceParameter {
  readonly name: string
  /** A `ParameterType`, or a word that this version does not know. */
  readonly type: ParameterType | (string & {})
  readonly description?: string
  readonly label?: string
  readonly unit?: string
  readonly optional?: boolean
  /** Used where none is given; IVCAP writes it as text. */
  readonly default?: string
  /** What an `option` takes. */
  readonly options?: readonly ParameterOption[]
}

/** What a place knows of a service. A field that it did not tell (a list tells less) is absent. */
export interface ServiceRecord {
  readonly id: Urn
  readonly name?: string
  readonly description?: string
  /** `active`, `inactive`, `error`. */
  readonly status?: string
  /** What it says it takes; a service may take more than it declares. */
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
/** `failed`: the service says that it could not; `error`: the service is no longer there to say anything. */
export type JobStatus = (typeof JOB_STATUSES)[number]

/** What a place knows of a job. A field that it did not tell (a list tells less) is absent. */
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
  /** Of a failed job: what it left as its reason. Absent while there is none, and where it is not JSON: `resultType` tells. */
  readonly result?: JsonValue
  /** MIME type of the result. */
  readonly resultType?: string
  /** What holds the result, where the place keeps it as an aspect or an artifact. */
  readonly resultUrn?: string
  readonly errorMessage?: string
  readonly policy?: Urn
  readonly account?: string
  /** Milliseconds: asking again sooner is of no use. */
  readonly retryAfter?: number
  /** What the function threw, with its stack. Known to the process that ran it alone, and stored nowhere. */
  readonly failure?: Error
}

/** Whether nothing will change any more. */
export const isFinished = (status: JobStatus): boolean =>
  status === 'succeeded' || status === 'failed' || status === 'error'

/** What went wrong, where a failed job says so in its result: `{ error, type?, traceback? }`, as IVCAP's services write it. */
export function reasonOf(result: JsonValue | undefined): string | undefined {
  const error = isJsonObject(result) ? result['error'] : undefined
  return typeof error === 'string' && error !== '' ? error : undefined
}

/** The error that made a job fail in its service, with the traceback of there as its stack. */
export function causeOf({ result }: Pick<JobRecord, 'result'>): Error | undefined {
  const reason = reasonOf(result)
  if (reason === undefined || !isJsonObject(result)) return undefined
  const { type, traceback } = result
  const cause = new Error(reason)
  if (typeof type === 'string' && type !== '') cause.name = type
  if (typeof traceback === 'string' && traceback !== '') cause.stack = traceback
  return cause
}
