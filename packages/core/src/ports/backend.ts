import type { JsonObject } from '../model/json.js'
import type { Problem, VerifyOptions } from '../model/problems.js'
import type { Timestamp } from '../model/time.js'
import type { ArtifactStore } from './artifact-store.js'
import type { AspectStore } from './aspect-store.js'
import type { OpOptions } from './operation.js'
import type { ServiceStore } from './service-store.js'

/** A plain object, so that stores of different places can be mixed: `{ ...platform, artifacts }`. */
export interface Backend {
  readonly artifacts: ArtifactStore
  readonly aspects: AspectStore
  /** Absent where there is nothing to run services. */
  readonly services?: ServiceStore
  /** Datalog, on the platform only. */
  readonly search?: (
    query: string,
    o: OpOptions & { readonly atTime?: Timestamp; readonly limit: number },
  ) => Promise<readonly JsonObject[]>
  /** What is damaged or orphaned here. Reads everything, changes nothing. */
  readonly verify?: (o: OpOptions & VerifyOptions) => Promise<readonly Problem[]>
  /** Rebuilds what can be derived from the records, deletes no content; returns what it mended. */
  readonly repair?: (o: OpOptions) => Promise<readonly Problem[]>
  readonly close?: () => Promise<void>
}
