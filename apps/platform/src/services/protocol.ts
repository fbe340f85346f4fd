import { isUrn, type JsonObject, type Urn } from '@ivcap/core/driver'
import * as v from 'valibot'

/** The server's request to a worker. */
export interface JobRequest {
  readonly kind: 'run'
  /** Index of the service in its module. */
  readonly index: number
  readonly service: Urn
  readonly job: Urn
  readonly params: JsonObject
  /** URL by which the worker calls the server. */
  readonly url: string
  /** Valid while the job runs. */
  readonly token: string
}

export type ToJobWorker =
  | JobRequest
  | { readonly kind: 'abort'; readonly reason: string }
  /** The job may resume after the wait of this number. */
  | { readonly kind: 'go'; readonly wait: number }

const Urns = v.array(v.custom<Urn>(isUrn, 'not a URN'))

/** A message of a worker. It is parsed, because the code of a service runs in the same thread. */
export const Report = v.variant('kind', [
  v.object({
    kind: v.literal('ready'),
    services: v.array(v.looseObject({ name: v.string() })),
  }),
  v.object({ kind: v.literal('unusable'), message: v.string() }),
  v.object({ kind: v.literal('crashed'), message: v.string() }),
  // the job begins or ends a wait for another job
  v.object({ kind: v.picklist(['waiting', 'waited']), wait: v.pipe(v.number(), v.safeInteger()) }),
  v.object({
    kind: v.literal('done'),
    outcome: v.looseObject({
      status: v.picklist(['succeeded', 'failed']),
      errorMessage: v.exactOptional(v.string()),
      inputs: Urns,
      outputs: Urns,
    }),
  }),
])
export type Report = v.InferOutput<typeof Report>

/** `Report` as the worker sends it. */
export type WorkerReport =
  | { readonly kind: 'ready'; readonly services: unknown }
  | { readonly kind: 'unusable' | 'crashed'; readonly message: string }
  | { readonly kind: 'waiting' | 'waited'; readonly wait: number }
  | { readonly kind: 'done'; readonly outcome: object }
