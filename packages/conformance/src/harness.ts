import type { Backend, BlobStore } from '@ivcap/core/driver'

/** How the suite comes to the places that it tests. */
export interface Harness<T, C> {
  /** A fresh, empty place. */
  open(): Promise<T>
  /** The place opened last, as a process sees it that has only just started. */
  reopen(): Promise<T>
  /** Lets go of the place opened last, and of every view of it. */
  close(): Promise<void>
  readonly capabilities: C
}

/** In what backends may differ. Each value is asserted: none switches a test off without another in its place. */
export interface BackendCapabilities {
  /**
   * `uuid`: ids are `urn:ivcap:artifact:<uuid>` and a name is a label that many may bear. `path`: ids are
   * `urn:file://<path>`, a name is the end of that path, must be a relative one, and a second upload takes its place.
   */
  readonly ids: 'uuid' | 'path'
  /** Which uploads have their SHA-256 recorded: `streams` leaves out those from a file on disk. */
  readonly digest: 'all' | 'streams' | 'none'
  /** Whether this backend's own aspects tell of uploads and collections; false in a mix whose artifacts report elsewhere. */
  readonly recordsUploads: boolean
  /** Bytes per part or request: sizes around it and its multiples are tried. */
  readonly partSize: number
}

export interface BlobStoreCapabilities {
  /** Bytes per part or request: sizes around it and its multiples are tried. */
  readonly partSize: number
}

export type BackendHarness = Harness<Backend, BackendCapabilities>
export type BlobStoreHarness = Harness<BlobStore, BlobStoreCapabilities>
