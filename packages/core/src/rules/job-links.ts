import type { JsonObject } from '../model/json.js'
import { isFinished, JOB_STATUSES, type JobStatus } from '../model/services.js'
import { isUrn, type Urn } from '../model/urn.js'

/** Schema of the record of a function's job: an aspect of the job, which is replaced whenever its status changes. */
export const JOB_SCHEMA = 'urn:ivcap:schema:function-job.1'

/** Service, status and artifacts of a job, from its own aspect. */
export interface JobLinks {
  readonly service: Urn | undefined
  readonly status: JobStatus | undefined
  /** The artifacts that the job has read and produced; undefined until the job ends. */
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
