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
import { beginUpload } from './begin-upload.js'
import { contextOf, type Http, type RequestContext, type Retries } from './http.js'
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

  /** One retry budget for the upload, which begins anew whenever the deployment has accepted bytes. */
  async #sendAll(begun: Begun, isNew: boolean): Promise<number | undefined> {
    const { signal, retries, retryDelay, failures } = this.#o
    if (this.#source.size === 0) return 0
    const url = this.#http.deployment.data(begun.dataHref)
    let budget = newBudget()
    let furthest = 0
    let toResume = !isNew
    const progress: Progress = {
      ...this.#progress,
      report: (accepted) => {
        if (toResume && accepted > 0) this.#tellResumed(begun, accepted)
        toResume = false
        if (accepted > furthest) budget = newBudget()
        furthest = Math.max(furthest, accepted)
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
          pace: this.#pace,
          progress,
          resource: begun.id,
          ...contextOf(this.#o),
        })
      } catch (error) {
        if (signal?.aborted) throw signal.reason
        if (!isIvcapError(error) || error.attempts !== undefined) throw error
        failures?.add(error)
        if (error.code === 'not-found' && (await this.#isStored(begun))) return this.#source.size
        if (!error.retryable) throw error
        budget.first ??= error
        budget.attempts += 1
        const pause = error.retryAfter ?? 0
        if (budget.attempts > retries || pause > LONGEST_RETRY_AFTER)
          throw exhausted(budget.first, error, budget.attempts, performance.now() - budget.begun)
        const wait = Math.max(backoff(retryDelay, budget.attempts - 1), pause)
        this.#tellRetried(begun, error, budget.attempts, wait)
        toResume = true
        await sleep(wait, signal)
      }
    }
  }

  /** Some deployments forget an upload as soon as it is an artifact; the answer to the last bytes may have been lost. */
  async #isStored({ id }: Begun): Promise<boolean> {
    // a question asked after a failure never replaces that failure
    const answer = await fetchArtifact(this.#http, id, this.#o, this.#retries).catch(() => undefined)
    this.#o.signal?.throwIfAborted()
    return answer?.record.status === 'ready' && answer.record.size === this.#source.size
  }

  #tellResumed({ id }: Begun, offset: number): void {
    const message = `the upload of ${id} goes on from byte ${offset}`
    this.#http.tell({ kind: 'resume', message, resource: id, offset }, this.#o)
  }

  #tellRetried({ id }: Begun, error: IvcapError, attempt: number, wait: number): void {
    const message = `attempt ${attempt} to upload ${id} failed, trying again in ${Math.round(wait)} ms: ${error.message}`
    this.#http.tell({ kind: 'retry', message, resource: id, attempt, wait, error }, this.#o)
  }

  get #retries(): RequestContext & Retries {
    const { retries, retryDelay } = this.#o
    return { ...contextOf(this.#o), retries, retryDelay }
  }
}

interface Budget {
  attempts: number
  first: IvcapError | undefined
  readonly begun: number
}

const newBudget = (): Budget => ({ attempts: 0, first: undefined, begun: performance.now() })

/** An upload of an earlier process that the deployment no longer has, or has as something else: a clean start. */
function notIfLost(error: unknown): undefined {
  const lost =
    isIvcapError(error, 'not-found') ||
    isIvcapError(error, 'permission-denied') ||
    isIvcapError(error, 'protocol') ||
    (isIvcapError(error, 'integrity') && error.resource !== undefined)
  if (!lost) throw error
}
