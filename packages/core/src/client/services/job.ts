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
  /** Milliseconds between two polls, from 0. @default from 100 growing to 5,000, or as the server asks */
  readonly pollInterval?: number | undefined
}

const WAIT_OPTIONS: OptionNames<WaitOptions> = { pollInterval: true, ...CALL_OPTIONS }

/** Milliseconds between two polls: the first interval and the longest. */
const INITIAL_POLL_MS = 100
const LONGEST_POLL_MS = 5_000

/** A handle on one job: what a service does, or did, on request. */
export class Job extends Handle<JobRecord> {
  readonly #store: ServiceStore

  /** @internal Made by the client. */
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
  /** The status when the record was last fetched: `refresh()` and `wait()` fetch it again. */
  get status(): JobStatus {
    return this.record.status
  }
  /** Whether it has ended, well or not. */
  get finished(): boolean {
    return isFinished(this.status)
  }
  get succeeded(): boolean {
    return this.status === 'succeeded'
  }
  /** What went wrong, where something did. */
  get errorMessage(): string | undefined {
    const { errorMessage, status, result } = this.record
    return errorMessage ?? (status === 'succeeded' ? undefined : reasonOf(result))
  }
  /** The parameters, where the place tells them. */
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
   * What the service answered: JSON, yours to check; undefined when it answered nothing.
   *
   * @throws IvcapError `precondition-failed` while the job has not succeeded; if it failed, with its error message, and with the
   * service's own error and traceback as `cause` where they are known; `protocol` when the result isn't JSON
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
   * Waits for the end of the job, well or not, and returns this job: see `succeeded`, or take the `result`, which throws
   * what went wrong. Giving up waiting leaves the job alone.
   *
   * @throws IvcapError `timeout` when it has not ended `timeout` ms from now
   */
  async wait(o: WaitOptions = {}): Promise<this> {
    try {
      await this.call('wait', o, WAIT_OPTIONS, async (op, { pollInterval }) => {
        const interval = ifGiven(pollInterval, 'pollInterval', checkInterval)
        // a list omits results
        if (!this.finished || this.record.result === undefined) this.learn(await this.fetch(op), true)
        if (this.finished) return
        const poll = () => this.#poll(interval, op)
        await (this.#store.withoutPermit === undefined ? poll() : this.#store.withoutPermit(poll))
      })
    } catch (error) {
      // of a request that took too long it can be asked again; of this limit not
      if (!isIvcapError(error, 'timeout') || error.retryable || this.finished) throw error
      const message = `${error.message}: ${this.id} is ${this.status}, and goes on; wait again, or longer`
      throw new IvcapError('timeout', message, { operation: 'wait', resource: this.id, cause: error })
    }
    return this
  }

  /**
   * The artifacts that the job has read and made so far, as URNs. For a job that is still running, or that was not run by a
   * function, the place is searched for its provenance aspects.
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
