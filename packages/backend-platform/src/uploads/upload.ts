import {
  type ArtifactDraft,
  type ArtifactRecord,
  type ByteSource,
  IvcapError,
  isIvcapError,
  type OpOptions,
  progressOf,
  sleep,
  type TransferOptions,
} from '@ivcap/core/driver'
import { backoff, exhausted, LONGEST_RETRY_AFTER, type Progress } from '@ivcap/core/internal'
import { fetchArtifact, whenReady } from '../artifacts/records.js'
import { type Http, type RequestContext, type Retries, requestContext } from '../http/client.js'
import { ChunkSizer, MIN_RESUMABLE } from './chunk-sizer.js'
import { createArtifact } from './create-artifact.js'
import type { PendingUpload, PendingUploads, UploadLease } from './pending/types.js'
import { canStream, SourceReader } from './source-reader.js'
import { sendByTus } from './tus.js'

export interface UploadContext {
  readonly http: Http
  readonly pendingUploads: PendingUploads
  /** Identifies this deployment and account. */
  readonly scope: readonly string[]
}

type CreateOptions = OpOptions & TransferOptions

/**
 * Creates an artifact, sends its bytes and waits until it is ready. If an earlier process began to upload the same file, that
 * upload is resumed from the deployment's offset.
 */
export async function upload(
  context: UploadContext,
  source: ByteSource,
  draft: ArtifactDraft,
  o: CreateOptions,
): Promise<ArtifactRecord> {
  o.signal?.throwIfAborted()
  if (source.size === 0) await assertEmpty(source, o.signal)
  const lease = await acquireLease(context, source, draft)
  const sending = new Upload(context.http, source, o)
  try {
    const record = await sending.fill(draft, lease)
    await lease?.clear()
    return record
  } catch (error) {
    if (o.signal?.aborted) throw o.signal.reason
    if (isIvcapError(error) && isFinal(error)) await lease?.clear()
    throw error
  } finally {
    await sending.stop()
    lease?.release()
  }
}

/** An artifact of 0 bytes is ready as soon as it is created, so the source is checked first. */
async function assertEmpty(source: ByteSource, signal: AbortSignal | undefined): Promise<void> {
  if (!source.replayable) {
    const reader = source.open(signal && { signal }).getReader()
    const { done } = await reader.read()
    if (!done) await reader.cancel()
  }
  if ((await source.unchanged?.()) === false) {
    throw new IvcapError('integrity', 'the content changed: upload it again when nobody writes to it')
  }
}

async function acquireLease(
  { pendingUploads, scope }: UploadContext,
  source: ByteSource,
  { name, mimeType, policy, collection }: ArtifactDraft,
): Promise<UploadLease | undefined> {
  if (source.size === undefined || source.size <= MIN_RESUMABLE || !source.replayable) return undefined
  const subject = [...scope, name, mimeType, policy, collection].map((part) => part ?? null)
  return pendingUploads.acquire(source, JSON.stringify(subject))
}

/** True if another attempt with the same file would fail, too. */
function isFinal({ code, argument }: IvcapError): boolean {
  return code === 'integrity' || (code === 'invalid-argument' && argument !== 'token')
}

class Upload {
  readonly #http: Http
  readonly #source: ByteSource
  readonly #o: CreateOptions
  readonly #chunkSizer: ChunkSizer
  readonly #progress: Progress
  readonly #reader: SourceReader

  constructor(http: Http, source: ByteSource, o: CreateOptions) {
    this.#http = http
    this.#source = source
    this.#o = o
    this.#chunkSizer = new ChunkSizer(o.chunkSize, http.streams && canStream(source))
    this.#progress = progressOf(o, source.size)
    this.#reader = new SourceReader(source, http.streams, () => this.#chunkSizer.bytes, o.signal)
  }

  async fill(draft: ArtifactDraft, lease: UploadLease | undefined): Promise<ArtifactRecord> {
    if (lease?.earlier !== undefined) {
      const record = await this.#finish(lease.earlier, false).catch(ignoreIfGone)
      if (record !== undefined) return record
      await lease.clear()
    }
    const pending = await createArtifact(this.#http, draft, this.#source.size, this.#retries)
    await lease?.save(pending)
    return this.#finish(pending, true)
  }

  stop(): Promise<void> {
    return this.#reader.stop()
  }

  async #finish(pending: PendingUpload, isNew: boolean): Promise<ArtifactRecord> {
    const size = await this.#sendAll(pending, isNew)
    const record = await whenReady(this.#http, pending.id, this.#retries)
    if (size !== undefined && record.size !== undefined && record.size !== size) {
      const message = `${pending.id} has ${record.size} bytes on the deployment, but ${size} were uploaded: upload it again`
      throw new IvcapError('integrity', message, { resource: pending.id })
    }
    this.#progress.finish(size ?? record.size ?? 0)
    return record
  }

  /** The retry budget is for the whole upload. It restarts whenever the deployment has accepted bytes. */
  async #sendAll(pending: PendingUpload, isNew: boolean): Promise<number | undefined> {
    const { signal, retries, retryDelay, failures } = this.#o
    if (this.#source.size === 0) return 0
    const url = this.#http.deployment.data(pending.dataHref)
    let budget = newBudget()
    let maxAccepted = 0
    let isResuming = !isNew
    const progress: Progress = {
      ...this.#progress,
      report: (accepted) => {
        if (isResuming && accepted > 0) this.#emitResumed(pending, accepted)
        isResuming = false
        if (accepted > maxAccepted) budget = newBudget()
        maxAccepted = Math.max(maxAccepted, accepted)
        this.#progress.report(accepted)
      },
    }
    for (let isFirst = true; ; isFirst = false) {
      signal?.throwIfAborted()
      try {
        return await sendByTus({
          http: this.#http,
          url,
          reader: this.#reader,
          size: this.#source.size,
          isNew: isNew && isFirst,
          chunkSizer: this.#chunkSizer,
          progress,
          resource: pending.id,
          ...requestContext(this.#o),
        })
      } catch (error) {
        if (signal?.aborted) throw signal.reason
        if (!isIvcapError(error) || error.attempts !== undefined) throw error
        failures?.add(error)
        if (error.code === 'not-found' && (await this.#isStored(pending))) return this.#source.size
        if (!error.retryable) throw error
        budget.first ??= error
        budget.attempts += 1
        const pause = error.retryAfter ?? 0
        if (budget.attempts > retries || pause > LONGEST_RETRY_AFTER)
          throw exhausted(budget.first, error, budget.attempts, performance.now() - budget.startedAt)
        const wait = Math.max(backoff(retryDelay, budget.attempts - 1), pause)
        this.#emitRetry(pending, error, budget.attempts, wait)
        isResuming = true
        await sleep(wait, signal)
      }
    }
  }

  /**
   * True if the artifact is complete. Some deployments forget a complete upload: the response to the last bytes was then lost.
   */
  async #isStored({ id }: PendingUpload): Promise<boolean> {
    // an error of this look-up must not replace the original error
    const found = await fetchArtifact(this.#http, id, this.#o, this.#retries).catch(() => undefined)
    this.#o.signal?.throwIfAborted()
    return found?.record.status === 'ready' && found.record.size === this.#source.size
  }

  #emitResumed({ id }: PendingUpload, offset: number): void {
    const message = `the upload of ${id} goes on from byte ${offset}`
    this.#http.emit({ kind: 'resume', message, resource: id, offset }, this.#o)
  }

  #emitRetry({ id }: PendingUpload, error: IvcapError, attempt: number, wait: number): void {
    const message = `attempt ${attempt} to upload ${id} failed, trying again in ${Math.round(wait)} ms: ${error.message}`
    this.#http.emit({ kind: 'retry', message, resource: id, attempt, wait, error }, this.#o)
  }

  get #retries(): RequestContext & Retries {
    const { retries, retryDelay } = this.#o
    return { ...requestContext(this.#o), retries, retryDelay }
  }
}

interface Budget {
  attempts: number
  first: IvcapError | undefined
  readonly startedAt: number
}

const newBudget = (): Budget => ({ attempts: 0, first: undefined, startedAt: performance.now() })

/** Ignores errors that mean that the deployment no longer has the earlier upload, or has another one by its id: start again. */
function ignoreIfGone(error: unknown): undefined {
  const isGone =
    isIvcapError(error, 'not-found') ||
    isIvcapError(error, 'permission-denied') ||
    isIvcapError(error, 'protocol') ||
    (isIvcapError(error, 'integrity') && error.resource !== undefined)
  if (!isGone) throw error
}
