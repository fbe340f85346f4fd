import type { JsonObject } from '../model/json.js'
import type { Problem, VerifyOptions } from '../model/problems.js'
import type { Timestamp } from '../model/time.js'
import type { ArtifactStore } from './artifact-store.js'
import type { AspectStore } from './aspect-store.js'
import type { OpOptions } from './operation.js'
import type { ServiceStore } from './service-store.js'

/** A plain object, so that stores of different backends can be combined: `{ ...platform, artifacts }`. */
export interface Backend {
  readonly artifacts: ArtifactStore
  readonly aspects: AspectStore
  /** Absent if the backend cannot run services. */
  readonly services?: ServiceStore
  /** Datalog search. Only the platform has it. */
  readonly search?: (
    query: string,
    o: OpOptions & { readonly atTime?: Timestamp; readonly limit: number },
  ) => Promise<readonly JsonObject[]>
  /** Returns what is damaged or orphaned. Reads everything and changes nothing. */
  readonly verify?: (o: OpOptions & VerifyOptions) => Promise<readonly Problem[]>
  /** Rebuilds data that can be derived from the records. Deletes no content. Returns what was repaired. */
  readonly repair?: (o: OpOptions) => Promise<readonly Problem[]>
  readonly close?: () => Promise<void>
}
