import { randomUUID } from 'node:crypto'
import {
  type ArtifactStatus,
  type ArtifactStore,
  artifactUrn,
  IvcapError,
  isIvcapError,
} from '@ivcap/core/driver'
import type { Intent } from './notes.js'
import type { UploadFiles } from './upload-files.js'

/** An upload that has not become an artifact yet. */
export interface Pending {
  readonly intent: Intent
  readonly status: ArtifactStatus
  /** Bytes; absent while the client doesn't know it. */
  readonly size?: number
  /** Bytes that have arrived. */
  readonly offset: number
  readonly createdAt: string
}

const RETRIES = { retries: 2, retryDelay: 200 }

/**
 * From an id without bytes to an artifact. An upload whose bytes are all there is stored by whoever notices first: the
 * request that brought the last of them, one that asks how far it is, or a server that starts. Storing it twice is one.
 */
export class Uploads {
  readonly #storing = new Map<string, Promise<void>>()
  readonly #failed = new Set<string>()
  #beginning = 0

  constructor(
    private readonly files: UploadFiles,
    private readonly artifacts: ArtifactStore,
    private readonly log: (line: string) => void,
    /** Aborts when the server can't wait any longer; what is unfinished then is finished by the next. */
    private readonly stopping: AbortSignal,
    /** Uploads that may be unfinished at once. */
    private readonly maxPending: number,
  ) {}

  /**
   * Hands out an id. `size`: bytes, absent if not known yet; one of 0 bytes is an artifact at once.
   *
   * @throws IvcapError `rate-limited` if too many uploads are unfinished
   */
  async begin(intent: Intent, size: number | undefined): Promise<string> {
    const uuid = randomUUID()
    if (this.files.count + this.#beginning >= this.maxPending) throw tooMany(this.maxPending)
    this.#beginning += 1
    await this.files.begin(uuid, intent, size).finally(() => {
      this.#beginning -= 1
    })
    if (size === 0) await this.store(uuid)
    return uuid
  }

  find(uuid: string): Pending | undefined {
    const found = this.files.find(uuid)
    if (found === undefined) return undefined
    const status = this.#failed.has(uuid) ? 'error' : found.offset === 0 ? 'pending' : 'partial'
    return { ...found, status }
  }

  /** Whether the upload has become an artifact, as it does now if all of its bytes are there. */
  async finish(uuid: string): Promise<boolean> {
    const found = this.files.find(uuid)
    if (found !== undefined && found.offset !== found.size) return false
    await this.store(uuid)
    return true
  }

  /** Makes an artifact of the upload, whose bytes must all be there. */
  store(uuid: string): Promise<void> {
    const storing = this.#storing.get(uuid) ?? this.#store(uuid).finally(() => this.#storing.delete(uuid))
    this.#storing.set(uuid, storing)
    return storing
  }

  async #store(uuid: string): Promise<void> {
    const found = this.files.find(uuid)
    if (found === undefined) return
    const { 'mime-type': mimeType, ...intent } = found.intent
    const draft = { id: artifactUrn(uuid), mimeType, ...intent }
    try {
      await this.artifacts.create(await this.files.source(uuid), draft, { ...RETRIES, signal: this.stopping })
    } catch (error) {
      // stored already, by a process that was killed before it could tidy up
      if (!isIvcapError(error, 'already-exists')) {
        this.#failed.add(uuid)
        throw error
      }
    }
    this.#failed.delete(uuid)
    await this.files.remove(uuid)
  }

  /** Takes up what an earlier process left: whole uploads are stored, in the background; others wait for their client. */
  recover(): void {
    for (const uuid of this.files.all()) {
      this.finish(uuid).catch((error: unknown) => {
        this.log(`upload ${uuid} could not be stored: ${error instanceof Error ? error.message : error}`)
      })
    }
  }

  /** Forgets uploads that nobody has sent a byte of since then, in ms since 1970. Those that are whole stay. */
  async expire(time: number): Promise<void> {
    for (const uuid of this.files.all()) {
      if (!this.files.isUntouched(uuid, time)) continue
      await this.files.remove(uuid)
      this.log(`upload ${uuid} has expired: nobody went on with it`)
    }
  }

  /** Resolves when nothing is being stored any more. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#storing.values())
  }
}

/** In ms; uploads end at any time. */
const RETRY_AFTER_MS = 10_000

function tooMany(limit: number): IvcapError {
  const message = `${limit} uploads are unfinished on this server, and it takes no more: finish some, or retry later`
  return new IvcapError('rate-limited', message, { retryAfter: RETRY_AFTER_MS })
}
