import { Artifact, Ivcap } from '@ivcap/core'
import type { Backend, JsonObject, JsonValue } from '@ivcap/core/driver'
import { isIvcapError, isUrn, type Urn } from '@ivcap/core/driver'
import type { Context } from '@ivcap/core/internal'
import { expectListeners, show, toJsonValue } from '@ivcap/core/internal'
import type { CatalogEntry } from './catalog.js'
import type { FunctionService, JobContext, JobParameters, ParameterValue } from './definition.js'
import { type ProvenanceTracker, trackProvenance } from './provenance-tracker.js'

/** How a function's run ended. */
export interface Outcome {
  readonly status: 'succeeded' | 'failed'
  readonly result?: JsonValue
  readonly errorMessage?: string
  /** The value that the function threw, or the reason of the abort. */
  readonly error?: unknown
  readonly inputs: readonly Urn[]
  readonly outputs: readonly Urn[]
}

/** Characters. */
const MAX_MESSAGE_LENGTH = 10_000

/** Runs a function as a job. Never rejects: an error of the function or an abort of the signal becomes a failed outcome. */
export async function call(
  backend: Backend,
  { id: service, definition }: Pick<CatalogEntry, 'id' | 'definition'>,
  { job, params }: { readonly job: Urn; readonly params: JsonObject },
  signal: AbortSignal,
): Promise<Outcome> {
  expectListeners(signal)
  const tracker = trackProvenance(backend, job, signal)
  const provenance = () => ({ inputs: [...tracker.inputs], outputs: [...tracker.outputs] })
  try {
    const value = await orAborted(signal, async () => {
      const values = await resolveArtifacts(tracker, definition.parameters ?? [], params, signal)
      return definition.run(values, contextOf(tracker, { job, service, signal }))
    })
    signal.throwIfAborted()
    const result = value === undefined ? undefined : toJsonValue(value, 'result')
    return { status: 'succeeded', ...provenance(), ...(result !== undefined && { result }) }
  } catch (error) {
    // the reason of the abort explains more than the function's reaction to it
    const reason: unknown = signal.aborted ? signal.reason : error
    return { status: 'failed', errorMessage: messageOf(reason), error: reason, ...provenance() }
  }
}

/**
 * Runs one function for a job that another process records: the part of `functionServices` that a worker does.
 * Never rejects. Records provenance in the backend.
 */
export function runFunction(
  backend: Backend,
  definition: FunctionService,
  request: { readonly service: Urn; readonly job: Urn; readonly params: JsonObject },
  signal: AbortSignal,
): Promise<Outcome> {
  return call(backend, { id: request.service, definition }, request, signal)
}

/** Does not wait for a function that ignores the signal: the backend refuses its later calls. */
function orAborted<T>(signal: AbortSignal, run: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    run().then(resolve, reject)
  })
}

/** Replaces ids of artifacts by handles. */
async function resolveArtifacts(
  { backend, use }: ProvenanceTracker,
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

function contextOf(
  { backend }: ProvenanceTracker,
  job: Pick<JobContext, 'job' | 'service' | 'signal'>,
): JobContext {
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
    return String(message).slice(0, MAX_MESSAGE_LENGTH)
  } catch {
    // a getter throws, or String cannot convert the value
    return 'the function threw an error that cannot be printed'
  }
}
