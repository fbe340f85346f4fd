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
  /** Field as IVCAP's API names it; the place's default if absent. */
  readonly orderBy?: string
  readonly orderDesc: boolean
  readonly atTime?: Timestamp
}

/** In the order in which they were requested, unless told otherwise. */
export type JobQuery = ServiceQuery

export interface ServiceStore {
  /** @throws `not-found` */
  get(id: Urn, o: OpOptions): Promise<ServiceRecord>
  list(q: ServiceQuery, o: OpOptions): Promise<Page<ServiceRecord>>
  /**
   * Starts a job. When this returns, the job is recorded, also if it fails later. Not repeated if the outcome of the request is
   * unknown.
   *
   * @param o `timeout`: milliseconds that the answer may wait for the job to finish; 0 or absent: it comes at once
   * @throws `not-found` without such a service; `missing-argument`, `invalid-argument` for wrong parameters
   */
  createJob(
    service: Urn,
    params: JsonObject,
    o: OpOptions & { readonly timeout?: number },
  ): Promise<JobRecord>
  /** With its result, once there is one. @throws `not-found` */
  getJob(service: Urn, job: Urn, o: OpOptions): Promise<JobRecord>
  listJobs(service: Urn, q: JobQuery, o: OpOptions): Promise<Page<JobRecord>>
  /**
   * Runs `wait`, which waits for a job, and releases the caller's permit meanwhile. Present where the caller may itself be a job, of
   * which only a limited number run at once.
   */
  withoutPermit?<T>(wait: () => Promise<T>): Promise<T>
  /** Takes no more jobs, and lets those that run here end. */
  close?(): Promise<void>
}
