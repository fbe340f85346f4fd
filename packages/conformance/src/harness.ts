import type { Backend, BlobStore } from '@ivcap/core/driver'

/** Opens and closes the backends or blob stores under test. */
export interface Harness<T, C> {
  /** Opens a new, empty store. */
  open(): Promise<T>
  /** Opens the store of the last `open` again, as a process that has just started would. */
  reopen(): Promise<T>
  /** Releases the store of the last `open` and all handles to it. */
  close(): Promise<void>
  readonly capabilities: C
}

/** Allowed differences between backends. Tests assert each value: if a value disables a test, another test runs instead. */
export interface BackendCapabilities {
  /**
   * `uuid`: ids are `urn:ivcap:artifact:<uuid>`. A name is a label that several artifacts may share.
   * `path`: ids are `urn:file://<path>`. A name is the end of that path and must be relative. A second upload with the same name
   * replaces the first one.
   */
  readonly ids: 'uuid' | 'path'
  /** The uploads whose SHA-256 is recorded. `streams`: all except those of a file on disk. */
  readonly digest: 'all' | 'streams' | 'none'
  /** True if this backend's own aspects describe uploads and collections. False in a mix whose artifacts record them elsewhere. */
  readonly recordsUploads: boolean
  /** Bytes per part or request. Tests use sizes around it and around its multiples. */
  readonly partSize: number
}

export interface BlobStoreCapabilities {
  /** Bytes per part or request. Tests use sizes around it and around its multiples. */
  readonly partSize: number
}

export type BackendHarness = Harness<Backend, BackendCapabilities>
export type BlobStoreHarness = Harness<BlobStore, BlobStoreCapabilities>
