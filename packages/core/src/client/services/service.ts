import { type JsonInput, toJsonObject } from '../../model/json.js'
import { checkOptions, isPlain, type OptionNames } from '../../model/options.js'
import type { ServiceParameter, ServiceRecord } from '../../model/services.js'
import { LONGEST_TIMER } from '../../model/timers.js'
import { parseJobId, type Urn } from '../../model/urn.js'
import type { OpOptions, ServiceStore } from '../../ports/index.js'
import { checkTimeout } from '../arguments.js'
import { isArtifact } from '../artifacts/artifact.js'
import { Collection } from '../collections/collection.js'
import type { Context } from '../context.js'
import { Handle, idOf, type Reference, type Summary } from '../handle.js'
import { LIST_OPTIONS, type Listing, type ListOptions, listRecordsBy } from '../listing.js'
import { CALL_OPTIONS, type CallOptions, perform } from '../operation.js'
import { Job } from './job.js'

export interface RequestJobOptions {
  readonly signal?: AbortSignal | undefined
  /**
   * Milliseconds that the response may wait for the job to finish, which saves a poll for a short job. The job itself continues for
   * as long as it needs. @default 0: returns at once
   */
  readonly timeout?: number | undefined
}

const REQUEST_JOB_OPTIONS: OptionNames<RequestJobOptions> = { signal: true, timeout: true }

/** Newest first by default. */
export type ListJobsOptions = ListOptions

/** A handle on one service. */
export class Service extends Handle<ServiceRecord> {
  readonly #store: ServiceStore

  /** @internal Created by the client. */
  constructor(context: Context, store: ServiceStore, record: ServiceRecord, complete: boolean) {
    super(context, record, complete)
    this.#store = store
  }

  /** `urn:ivcap:service:<uuid>` */
  get id(): Urn {
    return this.record.id
  }
  get name(): string | undefined {
    return this.record.name
  }
  get description(): string | undefined {
    return this.record.description
  }
  /** The parameters that the service declares. A listing omits them: call `await service.load()`. */
  get parameters(): readonly ServiceParameter[] | undefined {
    return this.record.parameters
  }
  get policy(): Urn | undefined {
    return this.record.policy
  }

  /**
   * Starts a job; `job.wait()` waits for its end. An abort cancels the request, but not a job that has started.
   *
   * @param params JSON object; artifacts and collections are given by their URNs or their handles
   * @throws IvcapError `missing-argument`; `invalid-argument` for parameters that the service does not accept
   */
  async requestJob(params: JsonInput, o: RequestJobOptions = {}): Promise<Job> {
    const { timeout = 0, signal } = checkOptions(o, REQUEST_JOB_OPTIONS, 'requestJob')
    // the limit of a timer is also within the range that a deployment accepts
    const held = timeout === 0 ? 0 : Math.min(checkTimeout(timeout), LONGEST_TIMER)
    // the client's timeout bounds the call, without the time that the caller asked it to wait
    const own = this.context.timeout === undefined ? undefined : this.context.timeout + held
    return perform(this.context, 'requestJob', { signal, timeout: own }, async (op) => {
      const request = toJsonObject(withIds(params), 'params')
      const record = await this.#store.createJob(this.id, request, { ...op, timeout: held })
      return new Job(this.context, this.#store, record, false)
    })
  }

  /** Returns the job of this service with this URN or uuid. @throws IvcapError `not-found` */
  async getJob(id: Reference, o: CallOptions = {}): Promise<Job> {
    return this.call('getJob', o, CALL_OPTIONS, async (op) => {
      const record = await this.#store.getJob(this.id, parseJobId(idOf(id), 'id'), op)
      return new Job(this.context, this.#store, record, true)
    })
  }

  /** Lists the jobs of this service, newest first, 10 by default. A listing omits results: call `await job.load()`. */
  jobs(o: ListJobsOptions = {}): Listing<Job> {
    return listRecordsBy(
      this.context,
      'jobs',
      checkOptions(o, LIST_OPTIONS, 'jobs'),
      (query, op) => this.#store.listJobs(this.id, query, op),
      (record) => new Job(this.context, this.#store, record, false),
    )
  }

  toJSON(): ServiceRecord {
    return this.record
  }

  protected fetch(op: OpOptions): Promise<ServiceRecord> {
    return this.#store.get(this.id, op)
  }

  protected summary(): Summary {
    const { id, name, description } = this
    return { kind: 'Service', label: name, fields: { id, name, description } }
  }
}

/** Replaces the handles among the parameters by their ids. Leaves other members unchanged; the JSON check validates them. */
function withIds(params: unknown): unknown {
  if (typeof params !== 'object' || params === null || !isPlain(params)) return params
  const handles = Object.entries(params).filter(
    ([, value]) => isArtifact(value) || value instanceof Collection,
  )
  return { ...params, ...Object.fromEntries(handles.map(([name, handle]) => [name, idOf(handle)])) }
}
