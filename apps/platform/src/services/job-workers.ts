import { randomBytes } from 'node:crypto'
import { Worker } from 'node:worker_threads'
import { IvcapError, type JsonValue } from '@ivcap/core/driver'
import { toJsonValue } from '@ivcap/core/internal'
import type { ExecuteJob, FunctionService, Outcome, WithoutPermit } from '@ivcap/services'
import * as v from 'valibot'
import { type JobRequest, Report, type ToJobWorker } from './protocol.js'

/** Timeouts of loading a module, and of a job's end after its cancellation. */
const LOAD_MS = 60_000
const ABORT_MS = 1000
const DEFAULT_MEMORY_MB = 1024
/** Environment variables that a service must not see. */
const SECRETS = ['IVCAP_PLATFORM_TOKEN']

export interface JobWorkersOptions {
  /** Path of the module that exports the services. */
  readonly module: string
  /** Maximum heap of one job, in MiB. @default 1024 */
  readonly memoryMb?: number | undefined
}

/**
 * Runs each job in its own thread, which ends with the job: an endless loop, `process.exit()`, an unhandled rejection or a lack
 * of memory fails that job only. One spare thread always has the module loaded in advance.
 */
export class JobWorkers {
  /** The services of the module. Their `run` exists only in the workers. */
  readonly services: readonly FunctionService[]
  readonly #options: JobWorkersOptions
  readonly #tokens = new Set<string>()
  readonly #workers = new Set<LoadedWorker>()
  #spare: LoadedWorker | undefined
  #url = ''
  #closed = false

  private constructor(options: JobWorkersOptions, first: LoadedWorker, services: readonly FunctionService[]) {
    this.#options = options
    this.services = services
    this.#spare = first
    this.#workers.add(first)
  }

  /** @throws IvcapError `invalid-argument` if the module cannot be loaded, or exports no services */
  static async load(options: JobWorkersOptions): Promise<JobWorkers> {
    const first = new LoadedWorker(options)
    try {
      const services = await first.ready
      return new JobWorkers(options, first, services)
    } catch (cause) {
      await first.end()
      throw cause
    }
  }

  /** Sets the URL by which the workers call the server. */
  serve(url: string): void {
    this.#url = url
  }

  /** True if this is the token of a running job. */
  accepts(token: string): boolean {
    return this.#tokens.has(token)
  }

  readonly execute: ExecuteJob = async ({ id, definition }, { job, params }, signal, withoutPermit) => {
    const worker = this.#take()
    const token = randomBytes(32).toString('base64url')
    this.#tokens.add(token)
    try {
      await worker.ready
      const index = this.services.indexOf(definition)
      const url = this.#url
      const request = { kind: 'run', index, service: id, job, params, url, token } as const
      return await worker.run(request, signal, withoutPermit)
    } catch (error) {
      return failed(error instanceof Error ? error.message : String(error))
    } finally {
      this.#tokens.delete(token)
      this.#workers.delete(worker)
      await worker.end()
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.all([...this.#workers].map((worker) => worker.end()))
  }

  #take(): LoadedWorker {
    const worker = this.#spare ?? this.#start()
    this.#spare = this.#closed ? undefined : this.#start()
    return worker
  }

  #start(): LoadedWorker {
    const worker = new LoadedWorker(this.#options)
    this.#workers.add(worker)
    return worker
  }
}

class LoadedWorker {
  readonly ready: Promise<readonly FunctionService[]>
  readonly #worker: Worker
  readonly #outcome: Promise<Outcome>

  constructor({ module, memoryMb = DEFAULT_MEMORY_MB }: JobWorkersOptions) {
    const isSource = import.meta.url.endsWith('.ts')
    const program = new URL(isSource ? '../../bin/job-worker.mjs' : './job-worker.js', import.meta.url)
    const worker = new Worker(program, {
      workerData: { module },
      argv: [],
      execArgv: [],
      env: Object.fromEntries(Object.entries(process.env).filter(([name]) => !SECRETS.includes(name))),
      resourceLimits: { maxOldGenerationSizeMb: memoryMb },
    })
    worker.unref()
    this.#worker = worker
    this.ready = new Promise((resolve, reject) => {
      const loadTimer = setTimeout(
        () => reject(loadError(`${module} takes longer than ${LOAD_MS} ms to load`)),
        LOAD_MS,
      )
      loadTimer.unref()
      worker.on('message', (message: unknown) => {
        const report = parse(message)
        if (report?.kind === 'ready') resolve(report.services.map(definitionOf))
        else if (report?.kind === 'unusable') reject(loadError(report.message))
        else if (report?.kind === 'crashed')
          reject(loadError(`${module} failed while it was loaded: ${report.message}`))
      })
      worker.once('exit', (code) => {
        clearTimeout(loadTimer)
        reject(loadError(`${module} ended its process while it was loaded, code ${code}`))
      })
      worker.once('error', (error) => reject(loadError(`${module} can't be loaded: ${error.message}`)))
    })
    this.ready.catch(() => {})
    this.#outcome = outcomeOf(worker, memoryMb)
  }

  /** Never rejects. */
  async run(request: JobRequest, signal: AbortSignal, withoutPermit: WithoutPermit): Promise<Outcome> {
    const send = (message: ToJobWorker) => this.#worker.postMessage(message)
    const endWaits = this.#followWaits(withoutPermit, send)
    this.#worker.ref()
    return await new Promise<Outcome>((resolve) => {
      let timer: NodeJS.Timeout | undefined
      const stop = () => {
        const reason = signal.reason instanceof Error ? signal.reason.message : String(signal.reason)
        send({ kind: 'abort', reason })
        // an endless loop never receives the message
        timer = setTimeout(() => resolve(failed(reason)), ABORT_MS)
      }
      if (signal.aborted) stop()
      else signal.addEventListener('abort', stop, { once: true })
      void this.#outcome.then((outcome) => {
        clearTimeout(timer)
        signal.removeEventListener('abort', stop)
        endWaits()
        resolve(outcome)
      })
      send(request)
    })
  }

  /** Returns a function that ends the open waits of the job. */
  #followWaits(withoutPermit: WithoutPermit, send: (message: ToJobWorker) => void): () => void {
    const open = new Map<number, () => void>()
    this.#worker.on('message', (message: unknown) => {
      const report = parse(message)
      if (report?.kind === 'waited') open.get(report.wait)?.()
      if (report?.kind !== 'waiting') return
      const { wait } = report
      const waited = () => new Promise<void>((resolve) => open.set(wait, resolve))
      void withoutPermit(waited).then(() => {
        open.delete(wait)
        send({ kind: 'go', wait })
      })
    })
    return () => {
      for (const resolve of open.values()) resolve()
    }
  }

  async end(): Promise<void> {
    await this.#worker.terminate()
  }
}

/** The outcome that the worker reports, or a failure if its thread ends first. */
function outcomeOf(worker: Worker, memoryMb: number): Promise<Outcome> {
  return new Promise((resolve) => {
    worker.on('message', (message: unknown) => {
      const report = parse(message)
      if (report?.kind === 'done') resolve(toOutcome(report))
      if (report?.kind === 'crashed') {
        resolve(failed(`the service failed outside of its answer: ${report.message}`))
      }
    })
    worker.on('error', (error: Error & { code?: string }) => {
      const memory = error.code === 'ERR_WORKER_OUT_OF_MEMORY'
      resolve(
        failed(
          memory
            ? `the job needs more memory than its ${memoryMb} MiB`
            : `the service failed: ${error.message}`,
        ),
      )
    })
    worker.on('exit', (code) =>
      resolve(failed(`the service ended its process before it answered, code ${code}`)),
    )
  })
}

function toOutcome({ outcome }: Extract<Report, { kind: 'done' }>): Outcome {
  const { status, errorMessage, inputs, outputs, error } = outcome
  const value = outcome['result']
  const result: JsonValue | undefined = value === undefined ? undefined : toJsonValue(value, 'result')
  return {
    status,
    inputs,
    outputs,
    ...(errorMessage !== undefined && { errorMessage }),
    ...(result !== undefined && { result }),
    ...(error instanceof Error && { error }),
  }
}

function parse(message: unknown): Report | undefined {
  const parsed = v.safeParse(Report, message)
  return parsed.success ? parsed.output : undefined
}

/** `functionServices` checks the other members. */
function definitionOf(description: { readonly name: string }): FunctionService {
  return {
    ...description,
    run: () => {
      throw new Error('runs in a worker')
    },
  }
}

const failed = (errorMessage: string): Outcome => ({
  status: 'failed',
  errorMessage,
  inputs: [],
  outputs: [],
})

function loadError(message: string): IvcapError {
  const text = message.startsWith('--services') ? message : `--services: ${message}`
  return new IvcapError('invalid-argument', text, { argument: 'services' })
}
