/**
 * The program of a worker thread that runs one job: it loads the module of services itself and reaches artifacts and aspects
 * through the HTTP API of the server alone, as a service in a container does.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { platformBackend } from '@ivcap/backend-platform'
import { IvcapError } from '@ivcap/core/driver'
import { runFunction, servicesForJob } from '@ivcap/services'
import { servicesIn } from './module.js'
import type { JobRequest, ToJobWorker, WorkerReport } from './protocol.js'

const abort = new AbortController()
/** What the waits of the job go on with, by their number. */
const going = new Map<number, () => void>()
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
      if (message.kind === 'go') return going.get(message.wait)?.()
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
  const services = platform.services && servicesForJob(platform.services, whileWaiting)
  const backend = { ...platform, ...(services && { services }) }
  const { error, ...outcome } = await runFunction(backend, definition, { service, job, params }, abort.signal)
  const thrown = printable(error)
  // what the function has thrown or rejected without waiting for it comes first
  setImmediate(() => report({ kind: 'done', outcome: { ...outcome, ...(thrown && { error: thrown }) } }))
}

/** Tells the server, which lets another job run meanwhile. */
async function whileWaiting<T>(run: () => Promise<T>): Promise<T> {
  const wait = waits++
  report({ kind: 'waiting', wait })
  try {
    return await run()
  } finally {
    await new Promise<void>((resolve) => {
      going.set(wait, resolve)
      report({ kind: 'waited', wait })
    })
    going.delete(wait)
  }
}

/** What can be sent to the server of an error: its message and stack, and nothing that only this thread can hold. */
function printable(error: unknown): Error | undefined {
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

/** Of any value, even an error whose message throws. */
function messageOf(error: unknown): string {
  try {
    if (error instanceof IvcapError) return error.message
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  } catch {
    return 'an error that cannot be printed'
  }
}

void main()
