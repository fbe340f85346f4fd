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
import { refuse } from './catalog.js'

/** Milliseconds after its time that a job may take to have its end recorded, by a clock that isn't ours. */
const CLOCK_SKEW = 60_000
/** Jobs of a list that are read at once: their results may be large. */
const CONCURRENCY = 8

/** Jobs as aspects: they outlive the process that runs them. */
export class JobRecords {
  readonly #aspects: AspectStore
  readonly #clock: Clock
  /** Ends that could not be stored, for those who ask here. */
  readonly #unsaved = new Map<Urn, StoredJob>()

  constructor(aspects: AspectStore, clock: Clock) {
    this.#aspects = aspects
    this.#clock = clock
  }

  /** The link from the service comes first: one that leads nowhere is passed over, a job that nothing leads to is lost. */
  async create(job: StoredJob): Promise<void> {
    await this.#aspects.assert(jobOfServiceAspect(job.service, job.id), 'add', {})
    await this.#aspects.assert(jobAspect(job), 'add', {})
  }

  /** Tried again while the place is away. */
  async update(job: StoredJob): Promise<void> {
    await retry(() => this.#aspects.assert(jobAspect(job), 'replace', {}), { retries: 5, retryDelay: 200 })
  }

  /** As `update`; an end that can't be stored is told to those who ask this process. */
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
    if (job !== undefined && job.service === service) return this.told(job)
    throw new IvcapError('not-found', `there is no job ${id} of ${service} here`, { resource: id })
  }

  async list(service: Urn, q: JobQuery, o: OpOptions): Promise<Page<JobRecord>> {
    refuse('filter', q.filter)
    if (q.orderBy !== 'requested-at') refuse('orderBy', q.orderBy)
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
      const { request: _, result: __, ...told } = this.told(job)
      jobs[i] = told
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
   * A job that nobody ended has died with its process. That is seen at once from the same machine; from elsewhere when its
   * time is over, by which its process would have ended it.
   */
  told({ runner, expiresAt, inputs: _, outputs: __, ...job }: StoredJob): JobRecord {
    if (isFinished(job.status)) return job
    const expired = this.#clock() > micros(expiresAt) + CLOCK_SKEW * 1000
    const dead = isProcessGone(runner, Date.now(), Number.POSITIVE_INFINITY)
    if (!dead && !expired) return job
    const why = dead ? 'has ended' : `has not been heard of, and its time was over at ${expiresAt}`
    return { ...job, status: 'error', errorMessage: `the process that ran this job ${why}; request it again` }
  }
}
