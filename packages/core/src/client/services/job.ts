import { IvcapError, isIvcapError } from '../../model/errors.js'
import type { JsonValue } from '../../model/json.js'
import type { OptionNames } from '../../model/options.js'
import { causeOf, isFinished, type JobRecord, type JobStatus, reasonOf } from '../../model/services.js'
import type { Urn } from '../../model/urn.js'
import type { OpOptions, ServiceStore } from '../../ports/index.js'
import { sleep } from '../../retry/retry.js'
import { checkInterval, ifGiven } from '../arguments.js'
import type { Context } from '../context.js'
import { dateOf, Handle, type Summary } from '../handle.js'
import type { JobArtifacts } from '../lineage/lineage-links.js'
import { CALL_OPTIONS, type CallOptions } from '../operation.js'

export interface WaitOptions extends CallOptions {
  /** Milliseconds between two polls, >= 0. @default grows from 100 to 5,000, or as the server requests */
  readonly pollInterval?: number | undefined
}

const WAIT_OPTIONS: OptionNames<WaitOptions> = { pollInterval: true, ...CALL_OPTIONS }

/** Milliseconds between two polls: the first and the longest interval. */
const INITIAL_POLL_MS = 100
const LONGEST_POLL_MS = 5_000

/** A handle on one job: one execution of a service. */
export class Job extends Handle<JobRecord> {
  readonly #store: ServiceStore

  /** @internal Created by the client. */
  constructor(context: Context, store: ServiceStore, record: JobRecord, complete: boolean) {
    super(context, record, complete)
    this.#store = store
  }

  /** `urn:ivcap:job:<uuid>` */
  get id(): Urn {
    return this.record.id
  }
  /** URN of the service. */
  get service(): Urn {
    return this.record.service
  }
  /** The status when the record was last fetched. `refresh()` and `wait()` fetch it again. */
  get status(): JobStatus {
    return this.record.status
  }
  /** Whether the job has ended, successfully or not. */
  get finished(): boolean {
    return isFinished(this.status)
  }
  get succeeded(): boolean {
    return this.status === 'succeeded'
  }
  /** The error message, if the job failed. */
  get errorMessage(): string | undefined {
    const { errorMessage, status, result } = this.record
    return errorMessage ?? (status === 'succeeded' ? undefined : reasonOf(result))
  }
  /** The parameters, if the backend provides them. */
  get request(): JsonValue | undefined {
    return this.record.request
  }
  get requestedAt(): Date | undefined {
    return dateOf(this.record.requestedAt)
  }
  get startedAt(): Date | undefined {
    return dateOf(this.record.startedAt)
  }
  get finishedAt(): Date | undefined {
    return dateOf(this.record.finishedAt)
  }

  /**
   * The result of the service as JSON, not validated; undefined if the service returned nothing.
   *
   * @throws IvcapError `precondition-failed` if the job has not succeeded (for a failed job with its error message, and with the
   * service's own error and traceback as `cause` if they are known); `protocol` if the result is not JSON
   */
  get result(): JsonValue | undefined {
    const { id, status, result, resultType } = this.record
    if (status !== 'succeeded') {
      const why = this.finished
        ? `it ended as ${status}: ${this.errorMessage ?? 'the service gave no reason'}`
        : `it is ${status}: await job.wait() first`
      const cause = this.finished ? (this.record.failure ?? causeOf(this.record)) : undefined
      throw new IvcapError('precondition-failed', `result: there is none of ${id}; ${why}`, {
        resource: id,
        ...(cause && { cause }),
      })
    }
    if (result !== undefined || resultType === undefined || isJson(resultType)) return result
    const message = `result: that of ${id} is ${resultType}, not JSON: let the service store it as an artifact, and answer its URN`
    throw new IvcapError('protocol', message, { resource: id })
  }

  /**
   * Waits until the job has ended, successfully or not. Returns this job: check `succeeded`, or read `result`, which throws if the
   * job failed. An abort or a timeout ends only the wait; the job continues.
   *
   * @throws IvcapError `timeout` if the job has not ended after `timeout` ms
   */
  async wait(o: WaitOptions = {}): Promise<this> {
    try {
      await this.call('wait', o, WAIT_OPTIONS, async (op, { pollInterval }) => {
        const interval = ifGiven(pollInterval, 'pollInterval', checkInterval)
        // a listing omits results
        if (!this.finished || this.record.result === undefined) this.learn(await this.fetch(op), true)
        if (this.finished) return
        const poll = () => this.#poll(interval, op)
        await (this.#store.withoutPermit === undefined ? poll() : this.#store.withoutPermit(poll))
      })
    } catch (error) {
      // a retryable timeout is that of one request, not that of this wait
      if (!isIvcapError(error, 'timeout') || error.retryable || this.finished) throw error
      const message = `${error.message}: ${this.id} is ${this.status}, and goes on; wait again, or longer`
      throw new IvcapError('timeout', message, { operation: 'wait', resource: this.id, cause: error })
    }
    return this
  }

  /**
   * URNs of the artifacts that the job has read and produced so far. If the job is still running, or was not run by a function,
   * the backend is searched for the provenance aspects.
   */
  async artifacts(o: CallOptions = {}): Promise<JobArtifacts> {
    return this.call('artifacts', o, CALL_OPTIONS, async (op) => {
      const { linksOfJob } = await import('../lineage/lineage-links.js')
      const all = Number.POSITIVE_INFINITY
      const { upstream, downstream } = await linksOfJob(this.context, 'artifacts', this.id, all, op)
      return { inputs: upstream, outputs: downstream }
    })
  }

  toJSON(): Omit<JobRecord, 'failure'> {
    const { failure: _, ...record } = this.record
    return record
  }

  protected fetch(op: OpOptions): Promise<JobRecord> {
    return this.#store.getJob(this.service, this.id, op)
  }

  protected summary(): Summary {
    const { id, service, status, errorMessage } = this
    return { kind: 'Job', label: status, fields: { id, service, status, errorMessage } }
  }

  async #poll(interval: number | undefined, op: OpOptions): Promise<void> {
    for (let pause = INITIAL_POLL_MS; !this.finished; pause = Math.min(pause * 1.5, LONGEST_POLL_MS)) {
      await sleep(interval ?? Math.max(pause, this.record.retryAfter ?? 0), op.signal)
      this.learn(await this.fetch(op), true)
    }
  }
}

const isJson = (type: string): boolean => /^[^;]+[/+]json\s*(;|$)/i.test(type)
