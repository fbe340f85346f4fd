import { type ByteSource, isUrn, type Urn } from '@ivcap/core/driver'
import * as v from 'valibot'

/** An upload that the deployment has created, and that may be incomplete. */
export interface PendingUpload {
  readonly id: Urn
  /** The address for the bytes, as the deployment returned it. */
  readonly dataHref: string
}

/** Remembers unfinished uploads for the next process. A record that can't be read or written never stops an upload. */
export interface PendingUploads {
  /**
   * Reserves the upload `subject` of this unchanged file. Returns undefined if uploads of this source can't be remembered, or if
   * the same upload is already running.
   *
   * @param subject the properties that two uploads of one file must share to be the same: deployment, account, name, type…
   */
  acquire(source: ByteSource, subject: string): Promise<UploadLease | undefined>
}

export interface UploadLease {
  /** The upload that an earlier process began with the same file. */
  readonly earlier?: PendingUpload
  save(upload: PendingUpload): Promise<void>
  clear(): Promise<void>
  /** Ends the reservation; a saved upload stays. Idempotent. */
  release(): void
}

/** The stored form of a pending upload. */
export const PendingUploadJson = v.object({
  id: v.custom<Urn>(isUrn, 'not a URN'),
  dataHref: v.string(),
})

/** Returns undefined if the text is not JSON of this schema. */
export function parseEntry<S extends v.GenericSchema>(
  schema: S,
  text: string | null,
): v.InferOutput<S> | undefined {
  try {
    const entry = v.safeParse(schema, JSON.parse(text ?? ''))
    return entry.success ? entry.output : undefined
  } catch {
    return undefined
  }
}
