/**
 * The program of a worker thread that runs one job. It loads the module of services, and accesses artifacts and aspects
 * through the server's HTTP API only, as a service in a container does.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { platformBackend } from '@ivcap/backend-platform'
import { IvcapError } from '@ivcap/core/driver'
import { runFunction, servicesForJob } from '@ivcap/services'
import { servicesIn } from './module.js'
import type { JobRequest, ToJobWorker, WorkerReport } from './protocol.js'

const abort = new AbortController()
/** Callbacks that resume the waits of the job, by wait number. */
const resumes = new Map<number, () => void>()
let waits = 0

async function main(): Promise<void> {
  for (const kind of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(kind, (error: unknown) => {
      report({ kind: 'crashed', message: messageOf(error) })
      process.exit(1)
    })
  }
  try {
    const services = await servicesIn(workerData.module)
    parentPort?.on('message', (message: ToJobWorker) => {
      if (message.kind === 'abort') return abort.abort(new Error(message.reason))
      if (message.kind === 'go') return resumes.get(message.wait)?.()
      const definition = services[message.index]
      if (definition !== undefined) void run(definition, message)
    })
    const descriptions = services.map(({ run: _, ...description }) => description)
    report({ kind: 'ready', services: JSON.parse(JSON.stringify(descriptions)) })
  } catch (error) {
    report({ kind: 'unusable', message: messageOf(error) })
  }
}

async function run(definition: Parameters<typeof runFunction>[1], request: JobRequest): Promise<void> {
  const { url, token, service, job, params } = request
  const platform = platformBackend({ url, token, stateDir: false })
  const services = platform.services && servicesForJob(platform.services, withoutPermit)
  const backend = { ...platform, ...(services && { services }) }
  const { error, ...outcome } = await runFunction(backend, definition, { service, job, params }, abort.signal)
  const thrown = cloneable(error)
  // unhandled rejections and exceptions of the function must be reported first
  setImmediate(() => report({ kind: 'done', outcome: { ...outcome, ...(thrown && { error: thrown }) } }))
}

/** Reports the wait to the server, which runs another job meanwhile. */
async function withoutPermit<T>(run: () => Promise<T>): Promise<T> {
  const wait = waits++
  report({ kind: 'waiting', wait })
  try {
    return await run()
  } finally {
    await new Promise<void>((resolve) => {
      resumes.set(wait, resolve)
      report({ kind: 'waited', wait })
    })
    resumes.delete(wait)
  }
}

/** Copies message and stack of an error. Other members may not be cloneable. */
function cloneable(error: unknown): Error | undefined {
  if (!(error instanceof Error)) return undefined
  try {
    const copy = new Error(String(error.message))
    if (typeof error.stack === 'string') copy.stack = error.stack
    return copy
  } catch {
    return undefined
  }
}

function report(message: WorkerReport): void {
  parentPort?.postMessage(message)
}

/** Works for any value, even an error whose message throws. */
function messageOf(error: unknown): string {
  try {
    if (error instanceof IvcapError) return error.message
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  } catch {
    return 'an error that cannot be printed'
  }
}

void main()
