import { IvcapError, isIvcapError } from '../../model/errors.js'
import type { JsonValue } from '../../model/json.js'
import { checkOptions, type OptionNames } from '../../model/options.js'
import { causeOf, isFinished, type JobRecord, type JobStatus, reasonOf } from '../../model/services.js'
import { show, type Urn } from '../../model/urn.js'
import type { OpOptions, ServiceStore } from '../../ports/index.js'
import { sleep } from '../../retry/retry.js'
import { dateOf } from '../aspects/aspect.js'
import type { Context } from '../context.js'
import { inspectable } from '../inspect.js'
import { type JobArtifacts, linksOfJob } from '../lineage/lineage-links.js'
import { CALL_OPTIONS, type CallOptions, checkTimeout, perform } from '../operation.js'

export interface WaitOptions extends CallOptions {
  /** Milliseconds between two looks; default: from 100 ms, growing to 5 s, or as the place says. */
  readonly pollInterval?: number | undefined
}

const WAIT_OPTIONS: OptionNames<WaitOptions> = { pollInterval: true, ...CALL_OPTIONS }

/** Milliseconds between looks: the first and the longest. */
const FIRST_LOOK = 100
const LONGEST_LOOK = 5_000

/** A handle on one job: what a service does, or did, on request. */
export class Job {
  readonly #context: Context
  readonly #store: ServiceStore
  #record: JobRecord

  /** @internal Made by the client. */
  constructor(context: Context, store: ServiceStore, record: JobRecord) {
    this.#context = context
    this.#store = store
    this.#record = record
  }

  /** `urn:ivcap:job:<uuid>` */
  get id(): Urn {
    return this.#record.id
  }
  /** URN of the service. */
  get service(): Urn {
    return this.#record.service
  }
  /** As of the last look: `refresh()` or `wait()` look again. */
  get status(): JobStatus {
    return this.#record.status
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
    const { errorMessage, status, result } = this.#record
    return errorMessage ?? (status === 'succeeded' ? undefined : reasonOf(result))
  }
  /** The parameters, where the place tells them. */
  get request(): JsonValue | undefined {
    return this.#record.request
  }
  get requestedAt(): Date | undefined {
    return dateOf(this.#record.requestedAt)
  }
  get startedAt(): Date | undefined {
    return dateOf(this.#record.startedAt)
  }
  get finishedAt(): Date | undefined {
    return dateOf(this.#record.finishedAt)
  }
  /** All that is known of it so far. */
  get record(): JobRecord {
    return this.#record
  }

  /**
   * What the service answered: JSON, yours to check; undefined when it answered nothing.
   *
   * @throws IvcapError `precondition-failed` while the job has not succeeded; if it failed, with its error message, and with the
   * service's own error and traceback as `cause` where they are known; `protocol` when the result isn't JSON
   */
  get result(): JsonValue | undefined {
    const { id, status, result, resultType } = this.#record
    if (status !== 'succeeded') {
      const why = this.finished
        ? `it ended as ${status}: ${this.errorMessage ?? 'the service gave no reason'}`
        : `it is ${status}: await job.wait() first`
      const cause = this.finished ? (this.#record.failure ?? causeOf(this.#record)) : undefined
      throw new IvcapError('precondition-failed', `result: there is none of ${id}; ${why}`, {
        resource: id,
        ...(cause && { cause }),
      })
    }
    if (result !== undefined || resultType === undefined || isJson(resultType)) return result
    const message = `result: that of ${id} is ${resultType}, not JSON: let the service store it as an artifact, and answer its URN`
    throw new IvcapError('protocol', message, { resource: id })
  }

  /** Looks again; returns this job. */
  async refresh(o: CallOptions = {}): Promise<this> {
    const checked = checkOptions(o, CALL_OPTIONS, 'refresh')
    await perform(this.#context, 'refresh', checked, (op) => this.#look(op))
    return this
  }

  /**
   * Waits for the end of the job, well or not, and returns this job: see `succeeded`, or take the `result`, which throws
   * what went wrong. Giving up waiting leaves the job alone.
   *
   * @throws IvcapError `timeout` when it has not ended `timeout` ms from now
   */
  async wait(o: WaitOptions = {}): Promise<this> {
    const { pollInterval, ...call } = checkOptions(o, WAIT_OPTIONS, 'wait')
    const interval = pollInterval === undefined ? undefined : checkInterval(pollInterval)
    try {
      await perform(this.#context, 'wait', call, async (op) => {
        // a list tells no results: whoever waits gets one
        if (!this.finished || this.#record.result === undefined) await this.#look(op)
        if (this.finished) return
        const poll = () => this.#poll(interval, op)
        await (this.#store.whileWaiting === undefined ? poll() : this.#store.whileWaiting(poll))
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
   * What it has read and made so far, as URNs. Of a job that has not ended, or that no function ran, the place is searched for
   * what says so.
   */
  async artifacts(o: CallOptions = {}): Promise<JobArtifacts> {
    return perform(this.#context, 'artifacts', checkOptions(o, CALL_OPTIONS, 'artifacts'), async (op) => {
      const all = Number.POSITIVE_INFINITY
      const { upstream, downstream } = await linksOfJob(this.#context, 'artifacts', this.id, all, op)
      return { inputs: upstream, outputs: downstream }
    })
  }

  toJSON(): Omit<JobRecord, 'failure'> {
    const { failure: _, ...record } = this.#record
    return record
  }

  toString(): string {
    return `Job ${this.id} (${this.status})`
  }

  async #poll(interval: number | undefined, op: OpOptions): Promise<void> {
    for (let pause = FIRST_LOOK; !this.finished; pause = Math.min(pause * 1.5, LONGEST_LOOK)) {
      await sleep(interval ?? Math.max(pause, this.#record.retryAfter ?? 0), op.signal)
      await this.#look(op)
    }
  }

  async #look(op: OpOptions): Promise<void> {
    this.#record = await this.#store.getJob(this.service, this.id, op)
  }
}

inspectable(Job.prototype, 'Job', ({ id, service, status, errorMessage }) => ({
  id,
  service,
  status,
  errorMessage,
}))

const isJson = (type: string): boolean => /^[^;]+[/+]json\s*(;|$)/i.test(type)

function checkInterval(pollInterval: number): number {
  if (pollInterval === 0) return 0
  try {
    return checkTimeout(pollInterval)
  } catch {
    const message = `pollInterval must be a number of milliseconds from 0, not ${show(pollInterval)}`
    throw new IvcapError('invalid-argument', message, { argument: 'pollInterval' })
  }
}
