import {
  type ArtifactDraft,
  type ArtifactRecord,
  type ByteSource,
  backoff,
  IvcapError,
  isIvcapError,
  type OpOptions,
  type Progress,
  progressOf,
  sleep,
  type TransferOptions,
} from '@ivcap/core/driver'
import { beginUpload } from './begin-upload.js'
import type { Http } from './http.js'
import type { Begun, Claim, Journal } from './journal/types.js'
import { Pace, WORTH_RESUMING } from './pace.js'
import { fetchArtifact, whenReady } from './records.js'
import { canStream, SourceReader } from './source-reader.js'
import { sendByTus } from './tus.js'

export interface UploadContext {
  readonly http: Http
  readonly journal: Journal
  /** All that tells this deployment and its user from others, for the journal. */
  readonly place: readonly string[]
}

type CreateOptions = OpOptions & TransferOptions

/**
 * From a source to an artifact that is ready: asked for, filled from wherever the deployment stands, waited for. What an
 * earlier process began with the same file is taken up.
 */
export async function upload(
  context: UploadContext,
  source: ByteSource,
  draft: ArtifactDraft,
  o: CreateOptions,
): Promise<ArtifactRecord> {
  o.signal?.throwIfAborted()
  if (source.size === 0) await proveEmpty(source, o.signal)
  const claim = await claimOf(context, source, draft)
  const sending = new Sending(context.http, source, o)
  try {
    const record = await sending.fill(draft, claim)
    await claim?.forget()
    return record
  } catch (error) {
    if (o.signal?.aborted) throw o.signal.reason
    if (isIvcapError(error) && isFinal(error)) await claim?.forget()
    throw error
  } finally {
    await sending.stop()
    claim?.release()
  }
}

/** An artifact of 0 bytes is ready as soon as it is asked for: that there are none has to be known before. */
async function proveEmpty(source: ByteSource, signal: AbortSignal | undefined): Promise<void> {
  if (!source.replayable) {
    const reader = source.open(signal && { signal }).getReader()
    const { done } = await reader.read()
    if (!done) await reader.cancel()
  }
  if ((await source.unchanged?.()) === false) {
    throw new IvcapError('integrity', 'the content changed: upload it again when nobody writes to it')
  }
}

async function claimOf(
  { journal, place }: UploadContext,
  source: ByteSource,
  { name, mimeType, policy, collection }: ArtifactDraft,
): Promise<Claim | undefined> {
  if (source.size === undefined || source.size <= WORTH_RESUMING || !source.replayable) return undefined
  const subject = [...place, name, mimeType, policy, collection].map((part) => part ?? null)
  return journal.claim(source, JSON.stringify(subject))
}

/** What another try with the same file can't mend. */
function isFinal({ code, argument }: IvcapError): boolean {
  return code === 'integrity' || (code === 'invalid-argument' && argument !== 'token')
}

class Sending {
  readonly #http: Http
  readonly #source: ByteSource
  readonly #o: CreateOptions
  readonly #pace: Pace
  readonly #progress: Progress
  readonly #reader: SourceReader

  constructor(http: Http, source: ByteSource, o: CreateOptions) {
    this.#http = http
    this.#source = source
    this.#o = o
    this.#pace = new Pace(o.chunkSize, http.streams && canStream(source))
    this.#progress = progressOf(o, source.size)
    this.#reader = new SourceReader(source, http.streams, () => this.#pace.bytes, o.signal)
  }

  async fill(draft: ArtifactDraft, claim: Claim | undefined): Promise<ArtifactRecord> {
    if (claim?.earlier !== undefined) {
      const record = await this.#finish(claim.earlier, false).catch(notIfLost)
      if (record !== undefined) return record
      await claim.forget()
    }
    const begun = await beginUpload(this.#http, draft, this.#source.size, this.#retries)
    await claim?.keep(begun)
    return this.#finish(begun, true)
  }

  stop(): Promise<void> {
    return this.#reader.stop()
  }

  async #finish(begun: Begun, isNew: boolean): Promise<ArtifactRecord> {
    const size = await this.#sendAll(begun, isNew)
    const record = await whenReady(this.#http, begun.id, this.#retries)
    if (size !== undefined && record.size !== undefined && record.size !== size) {
      const message = `${begun.id} has ${record.size} bytes on the deployment, but ${size} were uploaded: upload it again`
      throw new IvcapError('integrity', message, { resource: begun.id })
    }
    this.#progress.finish(size ?? record.size ?? 0)
    return record
  }

  /** Try after try; those count anew whenever the deployment has got further. */
  async #sendAll(begun: Begun, isNew: boolean): Promise<number | undefined> {
    const { signal, retries, retryDelay } = this.#o
    if (this.#source.size === 0) return 0
    const url = this.#http.deployment.data(begun.dataHref)
    let furthest = 0
    const progress: Progress = {
      ...this.#progress,
      report: (accepted) => {
        if (accepted > furthest) attempt = 0
        furthest = Math.max(furthest, accepted)
        this.#progress.report(accepted)
      },
    }
    let attempt = 0
    for (let isFirst = true; ; isFirst = false) {
      signal?.throwIfAborted()
      try {
        return await sendByTus({
          http: this.#http,
          url,
          reader: this.#reader,
          size: this.#source.size,
          isNew: isNew && isFirst,
          pace: this.#pace,
          progress,
          resource: begun.id,
          signal,
        })
      } catch (error) {
        if (signal?.aborted) throw signal.reason
        if (!isIvcapError(error)) throw error
        if (error.code === 'not-found' && (await this.#isStored(begun))) return this.#source.size
        if (!error.retryable || attempt >= retries) throw error
        await sleep(Math.max(backoff(retryDelay, attempt), error.retryAfter ?? 0), signal)
        attempt += 1
      }
    }
  }

  /** Some deployments forget an upload as soon as it is an artifact; the answer to the last bytes may have been lost. */
  async #isStored({ id }: Begun): Promise<boolean> {
    const { record } = await fetchArtifact(this.#http, id, { ...this.#retries })
    return record.status === 'ready' && record.size === this.#source.size
  }

  get #retries() {
    const { retries, retryDelay, signal } = this.#o
    return { retries, retryDelay, signal }
  }
}

/** An upload of an earlier process that the deployment no longer has, or has as something else: a clean start. */
function notIfLost(error: unknown): undefined {
  const lost =
    isIvcapError(error, 'not-found') ||
    isIvcapError(error, 'permission-denied') ||
    isIvcapError(error, 'protocol') ||
    (isIvcapError(error, 'integrity') && error.resource !== undefined)
  if (!lost) throw error
}
