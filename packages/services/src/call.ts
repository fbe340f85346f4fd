import { Artifact, Ivcap } from '@ivcap/core'
import type { Backend, JsonObject, JsonValue } from '@ivcap/core/driver'
import { isIvcapError, isUrn, type Urn } from '@ivcap/core/driver'
import type { Context } from '@ivcap/core/internal'
import { expectListeners, show, toJsonValue } from '@ivcap/core/internal'
import type { CatalogEntry } from './catalog.js'
import type { FunctionService, JobContext, JobParameters, ParameterValue } from './definition.js'
import { type Recording, recording } from './provenance-tracker.js'

/** How a function's run ended. */
export interface Outcome {
  readonly status: 'succeeded' | 'failed'
  readonly result?: JsonValue
  readonly errorMessage?: string
  /** What the function threw, or the reason of the abort. */
  readonly error?: unknown
  readonly inputs: readonly Urn[]
  readonly outputs: readonly Urn[]
}

/** Characters of an error's message that are kept. */
const LONGEST_MESSAGE = 10_000

/** Runs a function as a job. Never rejects: whatever it throws is its outcome, and so is the abort of the signal. */
export async function call(
  backend: Backend,
  { id: service, definition }: Pick<CatalogEntry, 'id' | 'definition'>,
  { job, params }: { readonly job: Urn; readonly params: JsonObject },
  signal: AbortSignal,
): Promise<Outcome> {
  expectListeners(signal)
  const recorded = recording(backend, job, signal)
  const told = () => ({ inputs: [...recorded.inputs], outputs: [...recorded.outputs] })
  try {
    const answer = await orAborted(signal, async () => {
      const values = await resolved(recorded, definition.parameters ?? [], params, signal)
      return definition.run(values, contextOf(recorded, { job, service, signal }))
    })
    signal.throwIfAborted()
    const result = answer === undefined ? undefined : toJsonValue(answer, 'result')
    return { status: 'succeeded', ...told(), ...(result !== undefined && { result }) }
  } catch (error) {
    // what the function makes of the abort says less than why there was one
    const reason: unknown = signal.aborted ? signal.reason : error
    return { status: 'failed', errorMessage: messageOf(reason), error: reason, ...told() }
  }
}

/**
 * Runs one function for a job that another process records: the part of `functionServices` that is left for a worker.
 * Never rejects. Provenance is recorded in the backend.
 */
export function runFunction(
  backend: Backend,
  definition: FunctionService,
  request: { readonly service: Urn; readonly job: Urn; readonly params: JsonObject },
  signal: AbortSignal,
): Promise<Outcome> {
  return call(backend, { id: request.service, definition }, request, signal)
}

/** A function that doesn't heed the signal is not waited for: nothing that it does any more reaches the place. */
function orAborted<T>(signal: AbortSignal, run: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    run().then(resolve, reject)
  })
}

/** With handles in place of artifacts' ids. */
async function resolved(
  { backend, use }: Recording,
  declared: readonly { readonly name: string; readonly type: string }[],
  params: JsonObject,
  signal: AbortSignal,
): Promise<JobParameters> {
  const context: Context = { backend, logger: {} }
  const values: [string, ParameterValue][] = []
  for (const [name, value] of Object.entries(params)) {
    const type = declared.find((parameter) => parameter.name === name)?.type
    if (type !== 'artifact' || !isUrn(value)) {
      values.push([name, value])
      continue
    }
    const record = await backend.artifacts.stat(value, { signal }).catch((cause: unknown) => {
      throw isIvcapError(cause) ? new Error(`params.${name}: ${cause.message}`, { cause }) : cause
    })
    await use(record.id, { signal })
    values.push([name, new Artifact(context, backend.artifacts, record, true)])
  }
  return Object.fromEntries(values)
}

function contextOf({ backend }: Recording, job: Pick<JobContext, 'job' | 'service' | 'signal'>): JobContext {
  const ivcap = new Ivcap(backend, { stateDir: false })
  return {
    ...job,
    ivcap,
    uploadArtifact: (o) => ivcap.uploadArtifact(o),
    getArtifact: (id, o) => ivcap.getArtifact(id, o),
  }
}

function messageOf(error: unknown): string {
  try {
    const message = error instanceof Error ? error.message || error.name : show(error)
    return String(message).slice(0, LONGEST_MESSAGE)
  } catch {
    // a getter that throws, or what String cannot convert
    return 'the function threw an error that cannot be printed'
  }
}
