import type { JsonObject } from './json.js'
import type { Timestamp } from './time.js'
import type { Urn } from './urn.js'

export const ARTIFACT_STATUSES = ['pending', 'partial', 'ready', 'error', 'unknown'] as const
/** `partial`: some bytes have arrived. `unknown`: a status that this version does not know. */
export type ArtifactStatus = (typeof ARTIFACT_STATUSES)[number]

/** The record of an artifact. Fields that the backend did not provide are absent; a listing provides fewer. */
export interface ArtifactRecord {
  readonly id: Urn
  readonly name?: string
  readonly status: ArtifactStatus
  /** Bytes. */
  readonly size?: number
  readonly mimeType?: string
  readonly etag?: string
  readonly createdAt?: Timestamp
  readonly lastModifiedAt?: Timestamp
  readonly policy?: Urn
  readonly account?: string
  readonly cacheOf?: string
  /** 64 lower-case hex digits. */
  readonly sha256?: string
}

/** A typed, time-bounded JSON assertion about an entity. Fields that the backend did not provide are absent. */
export interface AspectRecord {
  readonly id: Urn
  /** A URN, or any URI. */
  readonly entity: string
  readonly schema: string
  /** Absent if a listing was requested without content. */
  readonly content?: JsonObject
  readonly validFrom?: Timestamp
  /** Absent while the record is in force. In force at T: `validFrom <= T < validTo`. */
  readonly validTo?: Timestamp
  readonly asserter?: string
  readonly retracter?: string
  readonly policy?: Urn
  readonly account?: string
  /** The record that this one replaced. */
  readonly replaces?: Urn
}
