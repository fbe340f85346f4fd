import { isUrn, type JsonObject, type Urn } from '@ivcap/core/driver'
import * as v from 'valibot'

/** What the server asks a worker to run. */
export interface JobRequest {
  readonly kind: 'run'
  /** Of the service in its module. */
  readonly index: number
  readonly service: Urn
  readonly job: Urn
  readonly params: JsonObject
  /** Where the worker reaches the server. */
  readonly url: string
  /** Is accepted by the server as long as the job runs. */
  readonly token: string
}

export type ToJobWorker =
  | JobRequest
  | { readonly kind: 'abort'; readonly reason: string }
  /** The wait of this number is over, and the job may go on. */
  | { readonly kind: 'go'; readonly wait: number }

const Urns = v.array(v.custom<Urn>(isUrn, 'not a URN'))

/** What a worker reports. The code of a service runs in the same thread, so its messages are parsed. */
export const Report = v.variant('kind', [
  v.object({
    kind: v.literal('ready'),
    services: v.array(v.looseObject({ name: v.string() })),
  }),
  v.object({ kind: v.literal('unusable'), message: v.string() }),
  v.object({ kind: v.literal('crashed'), message: v.string() }),
  // the job waits for another one, or has waited for it
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

/** As the worker sends it. */
export type WorkerReport =
  | { readonly kind: 'ready'; readonly services: unknown }
  | { readonly kind: 'unusable' | 'crashed'; readonly message: string }
  | { readonly kind: 'waiting' | 'waited'; readonly wait: number }
  | { readonly kind: 'done'; readonly outcome: object }
