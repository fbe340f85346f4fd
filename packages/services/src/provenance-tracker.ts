import type { ArtifactStore, AspectStore, Backend, OpOptions, ServiceStore, Urn } from '@ivcap/core/driver'
import { recordProduced, recordUsed } from '@ivcap/core/internal'

/** The backend of one job. */
export interface ProvenanceTracker {
  readonly backend: Backend
  /** Records, once, that the job uses the artifact, unless the job made it. */
  use(artifact: Urn, o: OpOptions): Promise<void>
  /** Artifacts that the job has read so far. */
  readonly inputs: ReadonlySet<Urn>
  /** Artifacts that the job has made so far. */
  readonly outputs: ReadonlySet<Urn>
}

/**
 * Wraps a backend to record provenance: the job made the artifacts that it stores, and used those that it reads. All operations
 * abort with the job's signal. `contains` accepts every id, so that a request can never read files of this machine.
 */
export function trackProvenance(backend: Backend, job: Urn, signal: AbortSignal): ProvenanceTracker {
  const { close: _, services, ...stores } = backend
  const inputs = new Map<Urn, Promise<void>>()
  const outputs = new Set<Urn>()
  const within = <O extends OpOptions>(o: O): O => ({ ...o, signal: both(signal, o.signal) })

  const use = async (artifact: Urn, o: OpOptions): Promise<void> => {
    if (outputs.has(artifact)) return
    const known = inputs.get(artifact)
    if (known !== undefined) return known
    const recorded = recordUsed(backend.aspects, artifact, job, o)
    inputs.set(artifact, recorded)
    // a later call may retry
    recorded.catch(() => inputs.delete(artifact))
    return recorded
  }

  const { artifacts } = backend
  const { localPath } = artifacts
  const tracked: ArtifactStore = {
    name: artifacts.name,
    location: artifacts.location,
    // an upload that an earlier process began would not belong to the job
    remembersUploads: false,
    contains: () => true,
    async create(source, draft, o) {
      const record = await artifacts.create(source, { ...draft, job }, within(o))
      outputs.add(record.id)
      await recordProduced(backend.aspects, record.id, job, {})
      return record
    },
    stat: (id, o) => artifacts.stat(id, within(o)),
    async read(id, o) {
      const content = await artifacts.read(id, within(o))
      try {
        await use(id, within({}))
      } catch (error) {
        await content.body.cancel().catch(() => {})
        throw error
      }
      return content
    },
    list: (q, o) => artifacts.list(q, within(o)),
    ...(localPath && {
      async localPath(id: Urn) {
        signal.throwIfAborted()
        const path = await localPath.call(artifacts, id)
        if (path !== undefined) await use(id, within({}))
        return path
      },
    }),
  }
  const { aspects } = backend
  const { assertMany } = aspects
  const bounded: AspectStore = {
    assert: (draft, mode, o) => aspects.assert(draft, mode, within(o)),
    ...(assertMany && { assertMany: (drafts, o) => assertMany.call(aspects, drafts, within(o)) }),
    get: (id, o) => aspects.get(id, within(o)),
    list: (q, o) => aspects.list(q, within(o)),
    retract: (id, o) => aspects.retract(id, within(o)),
  }
  return {
    backend: {
      ...stores,
      artifacts: tracked,
      aspects: bounded,
      ...(services && { services: servicesWithin(services, within) }),
    },
    use,
    get inputs() {
      return new Set(inputs.keys())
    },
    outputs,
  }
}

/** Calls to services, and waits for other jobs, abort with the job. */
function servicesWithin(services: ServiceStore, within: <O extends OpOptions>(o: O) => O): ServiceStore {
  return {
    ...services,
    get: (id, o) => services.get(id, within(o)),
    list: (q, o) => services.list(q, within(o)),
    createJob: (id, params, o) => services.createJob(id, params, within(o)),
    getJob: (id, job, o) => services.getJob(id, job, within(o)),
    listJobs: (id, q, o) => services.listJobs(id, q, within(o)),
  }
}

const both = (job: AbortSignal, call: AbortSignal | undefined): AbortSignal =>
  call === undefined ? job : AbortSignal.any([job, call])
