import type { JsonObject } from '../model/json.js'
import { isFinished, JOB_STATUSES, type JobStatus } from '../model/services.js'
import { isUrn, type Urn } from '../model/urn.js'

/** What is known of a job of a function: an aspect of the job, replaced whenever its status changes. */
export const JOB_SCHEMA = 'urn:ivcap:schema:function-job.1'

/** What a job's own aspect tells of what it was made of. */
export interface JobLinks {
  readonly service: Urn | undefined
  readonly status: JobStatus | undefined
  /** Artifacts that it has read, and that it has made; undefined until its end. */
  readonly artifacts: { readonly inputs: readonly Urn[]; readonly outputs: readonly Urn[] } | undefined
}

export function jobLinksOf(content: JsonObject = {}): JobLinks {
  const { service, status: told, inputs, outputs } = content
  const status = JOB_STATUSES.find((one) => one === told)
  const ended = status !== undefined && isFinished(status) && Array.isArray(inputs) && Array.isArray(outputs)
  return {
    service: isUrn(service) ? service : undefined,
    status,
    artifacts: ended ? { inputs: inputs.filter(isUrn), outputs: outputs.filter(isUrn) } : undefined,
  }
}
