import { randomUUID } from 'node:crypto'
import {
  type ArtifactStatus,
  type ArtifactStore,
  artifactUrn,
  IvcapError,
  isIvcapError,
} from '@ivcap/core/driver'
import type { UploadFiles } from './upload-files.js'
import type { UploadMetadata } from './upload-info.js'

/** An upload that has not become an artifact yet. */
export interface PendingUpload {
  readonly metadata: UploadMetadata
  readonly status: ArtifactStatus
  /** In bytes; absent until the client declares it. */
  readonly size?: number
  /** Number of bytes received. */
  readonly offset: number
  readonly createdAt: string
}

const RETRIES = { retries: 2, retryDelay: 200 }

/**
 * Turns uploads into artifacts. A complete upload is stored by the first of these: the request that sent its last byte, a
 * request for its offset, or the start of a server. Storing is idempotent.
 */
export class Uploads {
  readonly #storing = new Map<string, Promise<void>>()
  readonly #failed = new Set<string>()
  #beginning = 0

  constructor(
    private readonly files: UploadFiles,
    private readonly artifacts: ArtifactStore,
    private readonly log: (line: string) => void,
    /** Aborts after the shutdown timeout. The next server finishes uploads that are still being stored then. */
    private readonly stopping: AbortSignal,
    /** Maximum number of unfinished uploads. */
    private readonly maxPending: number,
  ) {}

  /**
   * Starts an upload and returns its uuid. An upload of 0 bytes becomes an artifact immediately.
   *
   * @param size In bytes; undefined if not known yet
   * @throws IvcapError `rate-limited` if `maxPending` uploads are unfinished
   */
  async begin(metadata: UploadMetadata, size: number | undefined): Promise<string> {
    const uuid = randomUUID()
    if (this.files.count + this.#beginning >= this.maxPending) throw tooMany(this.maxPending)
    this.#beginning += 1
    await this.files.begin(uuid, metadata, size).finally(() => {
      this.#beginning -= 1
    })
    if (size === 0) await this.store(uuid)
    return uuid
  }

  find(uuid: string): PendingUpload | undefined {
    const upload = this.files.find(uuid)
    if (upload === undefined) return undefined
    const status = this.#failed.has(uuid) ? 'error' : upload.offset === 0 ? 'pending' : 'partial'
    return { ...upload, status }
  }

  /** Stores the upload if it is complete. Returns false if bytes are missing. */
  async finish(uuid: string): Promise<boolean> {
    const upload = this.files.find(uuid)
    if (upload !== undefined && upload.offset !== upload.size) return false
    await this.store(uuid)
    return true
  }

  /** Turns the upload into an artifact. The caller must ensure that it is complete. Concurrent calls share one attempt. */
  store(uuid: string): Promise<void> {
    const storing = this.#storing.get(uuid) ?? this.#store(uuid).finally(() => this.#storing.delete(uuid))
    this.#storing.set(uuid, storing)
    return storing
  }

  async #store(uuid: string): Promise<void> {
    const upload = this.files.find(uuid)
    if (upload === undefined) return
    const { 'mime-type': mimeType, ...metadata } = upload.metadata
    const draft = { id: artifactUrn(uuid), mimeType, ...metadata }
    try {
      await this.artifacts.create(await this.files.source(uuid), draft, { ...RETRIES, signal: this.stopping })
    } catch (error) {
      // an earlier process stored it and was killed before it removed the files
      if (!isIvcapError(error, 'already-exists')) {
        this.#failed.add(uuid)
        throw error
      }
    }
    this.#failed.delete(uuid)
    await this.files.remove(uuid)
  }

  /** Stores, in the background, the complete uploads of an earlier process. Incomplete ones wait for their client. */
  recover(): void {
    for (const uuid of this.files.all()) {
      this.finish(uuid).catch((error: unknown) => {
        this.log(`upload ${uuid} could not be stored: ${error instanceof Error ? error.message : error}`)
      })
    }
  }

  /** Removes incomplete uploads that have received no byte since `time`, in ms since 1970. Complete uploads are kept. */
  async expire(time: number): Promise<void> {
    for (const uuid of this.files.all()) {
      if (!this.files.isUntouched(uuid, time)) continue
      await this.files.remove(uuid)
      this.log(`upload ${uuid} has expired: its client did not resume it`)
    }
  }

  /** Resolves when no upload is being stored. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#storing.values())
  }
}

/** In ms. */
const RETRY_AFTER_MS = 10_000

function tooMany(limit: number): IvcapError {
  const message = `${limit} uploads are unfinished on this server, and it takes no more: finish some, or retry later`
  return new IvcapError('rate-limited', message, { retryAfter: RETRY_AFTER_MS })
}
