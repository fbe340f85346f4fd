import { type JsonInput, toJsonObject } from '../../model/json.js'
import { checkOptions, isPlain, type OptionNames } from '../../model/options.js'
import type { ServiceParameter, ServiceRecord } from '../../model/services.js'
import { LONGEST_TIMER } from '../../model/timers.js'
import { parseJobId, type Urn } from '../../model/urn.js'
import type { ServiceStore } from '../../ports/index.js'
import { isArtifact } from '../artifacts/artifact.js'
import { Collection } from '../collections/collection.js'
import type { Context } from '../context.js'
import { inspectable } from '../inspect.js'
import { LIST_OPTIONS, type ListOptions, listQuery } from '../list-options.js'
import { checkLimit, type Listing } from '../listing.js'
import { CALL_OPTIONS, type CallOptions, checkTimeout, perform } from '../operation.js'
import { listingOf } from '../pages.js'
import { idOf, type Reference } from '../reference.js'
import { Job } from './job.js'

export interface RequestJobOptions {
  readonly signal?: AbortSignal | undefined
  /**
   * Milliseconds that the answer may wait for the job to finish, to save asking again after a quick one. Default 0: it comes
   * at once. The job itself goes on for as long as it takes.
   */
  readonly timeout?: number | undefined
}

const REQUEST_JOB_OPTIONS: OptionNames<RequestJobOptions> = { signal: true, timeout: true }

/** Newest first unless told otherwise. */
export type ListJobsOptions = ListOptions

/** A handle on one service. */
export class Service {
  readonly #context: Context
  readonly #store: ServiceStore
  #record: ServiceRecord
  /** Whether the record is as much as the place can tell; a list tells less. */
  #complete: boolean

  /** @internal Made by the client. */
  constructor(context: Context, store: ServiceStore, record: ServiceRecord, complete: boolean) {
    this.#context = context
    this.#store = store
    this.#record = record
    this.#complete = complete
  }

  /** `urn:ivcap:service:<uuid>` */
  get id(): Urn {
    return this.#record.id
  }
  get name(): string | undefined {
    return this.#record.name
  }
  get description(): string | undefined {
    return this.#record.description
  }
  /** What it says it takes; a list doesn't tell: `await service.load()`. */
  get parameters(): readonly ServiceParameter[] | undefined {
    return this.#record.parameters
  }
  get policy(): Urn | undefined {
    return this.#record.policy
  }
  /** All that is known of it so far. */
  get record(): ServiceRecord {
    return this.#record
  }

  /** Fetches what a list did not tell (parameters, policy…), if anything; returns this service. */
  async load(o: CallOptions = {}): Promise<this> {
    const checked = checkOptions(o, CALL_OPTIONS, 'load')
    return this.#complete ? this : this.refresh(checked)
  }

  /** Fetches the record anew; returns this service. */
  async refresh(o: CallOptions = {}): Promise<this> {
    const checked = checkOptions(o, CALL_OPTIONS, 'refresh')
    this.#record = await perform(this.#context, 'refresh', checked, (op) => this.#store.get(this.id, op))
    this.#complete = true
    return this
  }

  /**
   * Starts a job; `job.wait()` waits for its end. An abort ends the request; a job that has begun goes on.
   *
   * @param params JSON object; artifacts and collections by their URNs, or by their handles
   * @throws IvcapError `missing-argument`, `invalid-argument` for parameters that the service doesn't take
   */
  async requestJob(params: JsonInput, o: RequestJobOptions = {}): Promise<Job> {
    const { timeout = 0, signal } = checkOptions(o, REQUEST_JOB_OPTIONS, 'requestJob')
    // what a timer takes is also what can be sent to a deployment
    const held = timeout === 0 ? 0 : Math.min(checkTimeout(timeout), LONGEST_TIMER)
    // the client's own limit is for the call, not for what the call was told to wait for
    const own = this.#context.timeout === undefined ? undefined : this.#context.timeout + held
    return perform(this.#context, 'requestJob', { signal, timeout: own }, async (op) => {
      const request = toJsonObject(withIds(params), 'params')
      const record = await this.#store.createJob(this.id, request, { ...op, timeout: held })
      return new Job(this.#context, this.#store, record)
    })
  }

  /** The job of this service with this URN or uuid. @throws IvcapError `not-found` */
  async getJob(id: Reference, o: CallOptions = {}): Promise<Job> {
    return perform(this.#context, 'getJob', checkOptions(o, CALL_OPTIONS, 'getJob'), async (op) => {
      const record = await this.#store.getJob(this.id, parseJobId(idOf(id), 'id'), op)
      return new Job(this.#context, this.#store, record)
    })
  }

  /** Its jobs, newest first; 10 of them unless told otherwise. A list tells no results: `await job.refresh()`. */
  jobs(o: ListJobsOptions = {}): Listing<Job> {
    const checked = checkOptions(o, LIST_OPTIONS, 'jobs')
    const query = listQuery(checked, true)
    return listingOf(
      this.#context,
      'jobs',
      { ...checked, limit: checkLimit(checked.limit ?? 10) },
      (page, op) => this.#store.listJobs(this.id, { ...query, ...page }, op),
      (record) => new Job(this.#context, this.#store, record),
    )
  }

  toJSON(): ServiceRecord {
    return this.#record
  }

  toString(): string {
    return `Service ${this.id}${this.name === undefined ? '' : ` (${this.name})`}`
  }
}

inspectable(Service.prototype, 'Service', ({ id, name, description }) => ({ id, name, description }))

/** Handles among the parameters stand for what they are handles of. Other members are left as they are, for JSON to check. */
function withIds(params: unknown): unknown {
  if (typeof params !== 'object' || params === null || !isPlain(params)) return params
  const handles = Object.entries(params).filter(
    ([, value]) => isArtifact(value) || value instanceof Collection,
  )
  return { ...params, ...Object.fromEntries(handles.map(([name, handle]) => [name, idOf(handle)])) }
}
