import type { AspectStore, JobQuery, JobRecord, OpOptions, Page, Timestamp } from '@ivcap/core/driver'
import { IvcapError, isUrn, retry, type Urn } from '@ivcap/core/driver'
import {
  type Clock,
  concurrently,
  isFinished,
  isProcessGone,
  JOB_OF_SERVICE_SCHEMA,
  JOB_SCHEMA,
  jobAspect,
  jobOf,
  jobOfServiceAspect,
  micros,
  type StoredJob,
} from '@ivcap/core/internal'
import { assertUnset } from './catalog.js'

/** Milliseconds after the expiry of a job during which a machine with another clock may still record its end. */
const CLOCK_SKEW = 60_000
/** Jobs of a listing that are read concurrently. Their results may be large. */
const CONCURRENCY = 8

/** Stores jobs as aspects, so that they outlive the process that runs them. */
export class JobRecords {
  readonly #aspects: AspectStore
  readonly #clock: Clock
  /** Finished jobs that could not be stored; this process still returns them. */
  readonly #unsaved = new Map<Urn, StoredJob>()

  constructor(aspects: AspectStore, clock: Clock) {
    this.#aspects = aspects
    this.#clock = clock
  }

  /** Writes the link from the service first: listings ignore a link without a job, but cannot find a job without a link. */
  async create(job: StoredJob): Promise<void> {
    await this.#aspects.assert(jobOfServiceAspect(job.service, job.id), 'add', {})
    await this.#aspects.assert(jobAspect(job), 'add', {})
  }

  /** Retries while the backend is unavailable. */
  async update(job: StoredJob): Promise<void> {
    await retry(() => this.#aspects.assert(jobAspect(job), 'replace', {}), { retries: 5, retryDelay: 200 })
  }

  /** Like `update`. If it fails, this process still returns the finished job. */
  async finish(job: StoredJob): Promise<void> {
    try {
      await this.update(job)
    } catch (error) {
      this.#unsaved.set(job.id, job)
      throw error
    }
  }

  /** @throws IvcapError `not-found` */
  async get(service: Urn, id: Urn, o: OpOptions): Promise<JobRecord> {
    const job = this.#unsaved.get(id) ?? (await this.#find(id, o))
    if (job !== undefined && job.service === service) return this.currentRecord(job)
    throw new IvcapError('not-found', `there is no job ${id} of ${service} here`, { resource: id })
  }

  async list(service: Urn, q: JobQuery, o: OpOptions): Promise<Page<JobRecord>> {
    assertUnset('filter', q.filter)
    if (q.orderBy !== 'requested-at') assertUnset('orderBy', q.orderBy)
    const { items, cursor } = await this.#aspects.list(
      {
        entity: service,
        schema: JOB_OF_SERVICE_SCHEMA,
        orderBy: 'valid_from',
        orderDirection: q.orderDesc ? 'DESC' : 'ASC',
        includeContent: true,
        limit: q.limit,
        ...(q.cursor !== undefined && { cursor: q.cursor }),
        ...(q.atTime !== undefined && { atTime: q.atTime }),
      },
      o,
    )
    const ids = items.map(({ content }) => content?.['job']).filter(isUrn)
    const jobs: (JobRecord | undefined)[] = ids.map(() => undefined)
    await concurrently(ids, CONCURRENCY, async (id, i) => {
      const job = this.#unsaved.get(id) ?? (await this.#find(id, o, q.atTime))
      if (job === undefined) return
      const { request: _, result: __, ...record } = this.currentRecord(job)
      jobs[i] = record
    })
    return { items: jobs.filter((job) => job !== undefined), ...(cursor !== undefined && { cursor }) }
  }

  async #find(id: Urn, o: OpOptions, atTime?: Timestamp): Promise<StoredJob | undefined> {
    const { items } = await this.#aspects.list(
      {
        entity: id,
        schema: JOB_SCHEMA,
        orderBy: 'valid_from',
        orderDirection: 'DESC',
        includeContent: true,
        limit: 1,
        ...(atTime !== undefined && { atTime }),
      },
      o,
    )
    return jobOf(id, items[0]?.content)
  }

  /**
   * A job whose process died before it was finished gets status `error`: immediately on the same machine, on other machines
   * after its expiry.
   */
  currentRecord({ runner, expiresAt, inputs: _, outputs: __, ...job }: StoredJob): JobRecord {
    if (isFinished(job.status)) return job
    const expired = this.#clock() > micros(expiresAt) + CLOCK_SKEW * 1000
    const dead = isProcessGone(runner, Date.now(), Number.POSITIVE_INFINITY)
    if (!dead && !expired) return job
    const why = dead ? 'has ended' : `did not record its end before its time limit ${expiresAt}`
    return { ...job, status: 'error', errorMessage: `the process that ran this job ${why}; request it again` }
  }
}
