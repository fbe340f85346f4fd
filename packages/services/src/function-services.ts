import type { Logger } from '@ivcap/core'
import type { Backend, JobRecord, JsonObject, OpOptions, ServiceStore, Urn } from '@ivcap/core/driver'
import { checkOptions, type EventListener, emit, IvcapError, sleep, timestamp } from '@ivcap/core/driver'
import type { OptionNames, StoredJob } from '@ivcap/core/internal'
import {
  type Clock,
  expectListeners,
  jobUrn,
  micros,
  processIdentity,
  show,
  startTimer,
  stopTimer,
  systemClock,
} from '@ivcap/core/internal'
import { call, type Outcome } from './call.js'
import { type CatalogEntry, catalogOf, listCatalog } from './catalog.js'
import type { FunctionService } from './definition.js'
import { JobRecords } from './job-records.js'
import { checkParameters } from './parameters.js'
import { type Permit, Semaphore, type WithoutPermit } from './semaphore.js'

/**
 * Runs a job elsewhere, e.g. in a worker. It must end soon after the signal aborts. If it rejects, the job fails with the
 * error's message.
 */
export type ExecuteJob = (
  service: { readonly id: Urn; readonly definition: FunctionService },
  request: { readonly job: Urn; readonly params: JsonObject },
  signal: AbortSignal,
  /** Must wrap each wait of the job for another job, so that waiting jobs never block each other. */
  withoutPermit: WithoutPermit,
) => Promise<Outcome>

export interface FunctionServicesOptions {
  /** How jobs run. @default in this process, by `run` of the definition */
  readonly execute?: ExecuteJob | undefined
  /** Maximum number of running jobs; others wait. @default 8 */
  readonly concurrency?: number | undefined
  /** Milliseconds that `close` waits for jobs before it cancels them. @default 10000 */
  readonly shutdownTimeout?: number | undefined
  /** When it aborts, all jobs are cancelled, with its reason as their message, and new requests fail. @default none */
  readonly signal?: AbortSignal | undefined
  /** Receives a line for each failed job, with the stack of its error. @default none */
  readonly logger?: Logger | undefined
  /** Receives `job-failed` for each failed job, with the function's error as cause. @default none */
  readonly onEvent?: EventListener | undefined
  /** @default the system clock */
  readonly clock?: Clock | undefined
}

const SHUTDOWN_TIMEOUT = 10_000
/** Characters of a stack that are logged. */
const MAX_STACK_LENGTH = 20_000
/** Failed jobs whose error this process keeps in memory. */
const MAX_KEPT_FAILURES = 1_000

const OPTIONS: OptionNames<FunctionServicesOptions> = {
  execute: true,
  concurrency: true,
  shutdownTimeout: true,
  signal: true,
  logger: true,
  onEvent: true,
  clock: true,
}

/**
 * Services that are functions: `new Ivcap({ ...backend, services: functionServices(backend, [...]) })`. Their jobs run in
 * this process. Each job is stored as an aspect (`urn:ivcap:schema:function-job.1`), so that other processes see it, also after
 * this process has ended.
 *
 * @param backend Stores the jobs and their artifacts
 * @throws IvcapError `invalid-argument` for an invalid definition
 */
export function functionServices(
  backend: Backend,
  services: readonly FunctionService[],
  options: FunctionServicesOptions = {},
): ServiceStore {
  const o = checkOptions(options, OPTIONS, 'functionServices')
  const { clock = systemClock, logger = {}, shutdownTimeout = SHUTDOWN_TIMEOUT } = o
  const catalog = catalogOf(services)
  const records = new JobRecords(backend.aspects, clock)
  const queue = new Semaphore(o.concurrency ?? 8)
  const closing = new AbortController()
  expectListeners(closing.signal) // one for each job that runs
  const failures = new Map<Urn, Error>()
  let open = true
  const cancel = () => {
    open = false
    closing.abort(o.signal?.reason)
  }
  if (o.signal?.aborted) cancel()
  else o.signal?.addEventListener('abort', cancel, { once: true })

  const entry = (id: Urn): CatalogEntry => {
    const service = catalog.get(id)
    if (service !== undefined) return service
    const message = `there is no service ${id} here: call services.list() for the ${catalog.size} that exist`
    throw new IvcapError('not-found', message, { resource: id })
  }

  /** Never rejects. Resolves to the job at its end. */
  async function run(
    service: CatalogEntry,
    created: StoredJob,
    params: JsonObject,
    permit: Permit,
  ): Promise<StoredJob> {
    let job = created
    let thrown: unknown
    const stop = new AbortController()
    const onClose = () => stop.abort(closing.signal.reason)
    closing.signal.addEventListener('abort', onClose)
    const left = (micros(job.expiresAt) - clock()) / 1000
    const timer = startTimer(() => stop.abort(tooLong(service)), left)
    try {
      if (closing.signal.aborted) onClose()
      if (job.status === 'pending' && !stop.signal.aborted) {
        job = { ...job, status: 'executing', startedAt: timestamp(clock()) }
        await records.update(job)
      }
      const request = { job: job.id, params }
      const { error, ...outcome } =
        o.execute === undefined
          ? await call(
              { ...backend, services: servicesForJob(store, permit.withoutPermit) },
              service,
              request,
              stop.signal,
            )
          : await o.execute(service, request, stop.signal, permit.withoutPermit)
      thrown = error
      job = { ...job, ...outcome, finishedAt: timestamp(clock()) }
      if (job.result !== undefined) job = { ...job, resultType: 'application/json' }
    } catch (error) {
      thrown = error
      job = { ...job, ...failure(error), finishedAt: timestamp(clock()) }
    } finally {
      stopTimer(timer)
      closing.signal.removeEventListener('abort', onClose)
    }
    if (job.status === 'failed') reportFailure(service, job, thrown)
    await records.finish(job).catch((error: unknown) => {
      logger.warn?.(
        `${service.name}: the end of ${job.id} (${job.status}) could not be stored: ${show(error)}`,
      )
    })
    return job
  }

  /** Logs the stack too: a message such as "x is undefined" does not show where the error occurred. */
  function reportFailure({ name }: CatalogEntry, { id, errorMessage }: StoredJob, thrown: unknown): void {
    const message = `${name}: ${id} failed: ${errorMessage}`
    const cause = thrown instanceof Error ? thrown : new Error(show(thrown))
    for (const [oldest] of failures) {
      if (failures.size < MAX_KEPT_FAILURES) break
      failures.delete(oldest)
    }
    failures.set(id, cause)
    const stack = stackOf(cause)
    logger.warn?.(stack === undefined ? message : `${message}\n${stack}`)
    const error = new IvcapError('unknown', message, { operation: name, resource: id, cause })
    emit({ kind: 'job-failed', message, resource: id, error }, o.onEvent)
  }

  /** Adds the error of the function, if the job ran in this process. */
  function withFailure(job: JobRecord): JobRecord {
    const failed = failures.get(job.id)
    return failed === undefined ? job : { ...job, failure: failed }
  }

  async function createJob(
    id: Urn,
    params: JsonObject,
    { timeout = 0, signal }: OpOptions & { readonly timeout?: number },
  ): Promise<JobRecord> {
    const service = entry(id)
    const values = checkParameters(service.definition.parameters, params)
    signal?.throwIfAborted()
    if (!open) throw closed()
    const permit = queue.reserve()
    const now = clock()
    const job: StoredJob = {
      id: jobUrn(crypto.randomUUID()),
      service: id,
      requestedAt: timestamp(now),
      expiresAt: timestamp(now + Math.ceil(service.timeout * 1000)),
      runner: processIdentity(),
      request: params,
      inputs: [],
      outputs: [],
      ...(permit.free ? { status: 'executing', startedAt: timestamp(now) } : { status: 'pending' }),
    }
    try {
      // without the signal: a job recorded in part would never end
      await records.create(job)
    } catch (error) {
      permit.release()
      // the outcome is unknown: if the record exists, it must not stay pending
      await records.finish({ ...job, ...failure(error), finishedAt: timestamp(clock()) }).catch(() => {})
      throw error
    }
    const done = permit.run(() => run(service, job, values, permit))
    const ended = timeout > 0 ? await within(done, timeout, signal) : undefined
    signal?.throwIfAborted()
    return withFailure(records.currentRecord(ended ?? job))
  }

  async function close(): Promise<void> {
    const timer = startTimer(() => closing.abort(closed()), shutdownTimeout)
    open = false
    await queue.settled()
    stopTimer(timer)
    o.signal?.removeEventListener('abort', cancel)
  }

  const store: ServiceStore = {
    get: async (id, { signal }) => {
      signal?.throwIfAborted()
      return entry(id).record
    },
    list: async (q, { signal }) => {
      signal?.throwIfAborted()
      return await listCatalog(catalog, q)
    },
    createJob,
    getJob: async (id, job, op) => withFailure(await records.get(id, job, op)),
    listJobs: async (id, q, op) => records.list(entry(id).id, q, op),
    close,
  }
  return store
}

/** The services for use by a job. It may request other jobs and wait for them, but must not close the services. */
export function servicesForJob(services: ServiceStore, withoutPermit: WithoutPermit): ServiceStore {
  const { close: _, ...others } = services
  return {
    ...others,
    withoutPermit,
    createJob: (id, params, op) => {
      const create = () => services.createJob(id, params, op)
      return op.timeout === undefined || op.timeout <= 0 ? create() : withoutPermit(create)
    },
  }
}

function stackOf({ stack }: Error): string | undefined {
  return typeof stack === 'string' && stack !== '' ? stack.slice(0, MAX_STACK_LENGTH) : undefined
}

/** Resolves to the finished job, or to undefined after `ms`. */
async function within<T>(
  done: Promise<T>,
  ms: number,
  signal: AbortSignal | undefined,
): Promise<T | undefined> {
  const over = new AbortController()
  const limit = signal === undefined ? over.signal : AbortSignal.any([over.signal, signal])
  const late = sleep(ms, limit).then(() => undefined)
  return Promise.race([done, late]).finally(() => over.abort())
}

const failure = (error: unknown) => ({
  status: 'failed' as const,
  errorMessage: error instanceof Error ? error.message : show(error),
})

function tooLong({ name, timeout }: CatalogEntry): IvcapError {
  return new IvcapError('timeout', `the job exceeded the timeout of the service ${name}: ${timeout} ms`)
}

function closed(): IvcapError {
  const message = 'the process that runs these services is ending: request the job again from its successor'
  return new IvcapError('unavailable', message, { retryable: false })
}
