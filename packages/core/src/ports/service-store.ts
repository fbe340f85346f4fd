import type { JsonObject } from '../model/json.js'
import type { JobRecord, ServiceRecord } from '../model/services.js'
import type { Timestamp } from '../model/time.js'
import type { Urn } from '../model/urn.js'
import type { OpOptions, Page } from './operation.js'

export interface ServiceQuery {
  /** Items in this page: 1–50. */
  readonly limit: number
  readonly cursor?: string
  readonly filter?: string
  /** A field in the spelling of IVCAP's API. @default chosen by the backend */
  readonly orderBy?: string
  readonly orderDesc: boolean
  readonly atTime?: Timestamp
}

/** By default in the order in which the jobs were requested. */
export type JobQuery = ServiceQuery

export interface ServiceStore {
  /** @throws `not-found` */
  get(id: Urn, o: OpOptions): Promise<ServiceRecord>
  list(q: ServiceQuery, o: OpOptions): Promise<Page<ServiceRecord>>
  /**
   * Starts a job. When this returns, the job is recorded, even if it fails later. Must not be repeated if the outcome of the
   * request is unknown.
   *
   * @param o `timeout`: milliseconds that the response may wait for the job to finish; 0 or absent: returns at once
   * @throws `not-found` if there is no such service; `missing-argument`, `invalid-argument` for wrong parameters
   */
  createJob(
    service: Urn,
    params: JsonObject,
    o: OpOptions & { readonly timeout?: number },
  ): Promise<JobRecord>
  /** Includes the result, if there is one. @throws `not-found` */
  getJob(service: Urn, job: Urn, o: OpOptions): Promise<JobRecord>
  listJobs(service: Urn, q: JobQuery, o: OpOptions): Promise<Page<JobRecord>>
  /**
   * Runs `wait`, which waits for a job, and releases the caller's permit until it returns. Present if the caller may itself be a
   * job and the number of running jobs is limited.
   */
  withoutPermit?<T>(wait: () => Promise<T>): Promise<T>
  /** Stops accepting jobs, and lets those that run in this process end. */
  close?(): Promise<void>
}
