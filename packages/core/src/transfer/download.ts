import { asyncHasher } from '#runtime'
import { IvcapError, isIvcapError } from '../model/errors.js'
import { emit } from '../model/events.js'
import { omitUndefined } from '../model/omit-undefined.js'
import type { ArtifactRecord } from '../model/records.js'
import type { Urn } from '../model/urn.js'
import type {
  ArtifactContent,
  ArtifactStore,
  ByteRange,
  ChunkMemory,
  OpOptions,
  TransferOptions,
} from '../ports/index.js'
import { opOptions, retry } from '../retry/retry.js'
import type { AsyncHasher } from '../streams/hasher.js'
import { progressOf } from '../streams/progress.js'
import { pullStream } from '../streams/pull-stream.js'

export interface VerifiedBodyOptions
  extends Omit<OpOptions, 'retries' | 'retryDelay'>,
    Pick<TransferOptions, 'retries' | 'retryDelay' | 'onProgress'> {
  readonly range?: ByteRange
  /** See `ReadOptions.parallel`. */
  readonly parallel?: boolean
  /** See `ReadOptions.memory`. */
  readonly memory?: ChunkMemory
  /** Called once before the first bytes, with the record and the range from the store's response. */
  readonly onContent?: (content: Pick<ArtifactContent, 'record' | 'range'>) => void
}

/**
 * Streams the content of an artifact, or a range of it, and verifies it. Nothing is requested before the first pull.
 *
 * A body that breaks off (a retryable error, or an early end) is resumed where it broke. It must have the same etag as the first
 * response. The count of `retries` restarts whenever bytes have arrived. The store's response tells the number of bytes; if it
 * does not, the end of the body does. The number of bytes is always checked. For a read of the whole content, the SHA-256 is
 * checked too, if the store recorded one. The last chunk is delivered only after these checks.
 *
 * The stream fails with `integrity` if the content does not match its record or changed during the read, with the store's error,
 * or with the signal's reason. `cancel()` resolves when the store's I/O has stopped.
 */
export function verifiedBody(
  store: ArtifactStore,
  id: Urn,
  o: VerifiedBodyOptions,
): ReadableStream<Uint8Array> {
  // the store gets one signal for both the caller's abort and a cancel of this stream
  const stopping = new AbortController()
  const download = new Download(store, id, { ...o, signal: stopping.signal })
  let pending: Promise<unknown> | undefined
  return pullStream({
    async next() {
      const reading = download.next()
      pending = reading
      const chunk = await reading
      return { chunk, done: download.ended }
    },
    async stop(reason) {
      stopping.abort(reason)
      await download.stop(reason)
      await pending?.catch(() => {})
    },
    signal: o.signal,
  })
}

/** One read of an artifact, over one or several connections. */
class Download {
  /** Whether all bytes were delivered and verified. */
  ended = false
  readonly #store: ArtifactStore
  readonly #id: Urn
  readonly #o: VerifiedBodyOptions
  #plan: Plan | undefined
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined
  /** Bytes at the start of the body that were delivered before, and must be skipped. */
  #skip = 0
  /** The error that broke the last connection. */
  #broke: IvcapError | undefined

  constructor(store: ArtifactStore, id: Urn, o: VerifiedBodyOptions) {
    this.#store = store
    this.#id = id
    this.#o = o
  }

  /** The next bytes; undefined if the content is empty. */
  async next(): Promise<Uint8Array | undefined> {
    const plan = await retry(() => this.#connected(), this.#o)
    if (plan.end === undefined) return this.#untilItEnds(plan)
    if (plan.position === plan.end) {
      await this.#expectEnd(plan)
      return this.#finish(plan, undefined)
    }
    const chunk = await retry(() => this.#read(), this.#o)
    if (chunk === undefined) throw this.#short(plan)
    plan.position += chunk.byteLength
    await plan.hasher?.update(chunk)
    if (plan.position < plan.end) {
      plan.progress.report(plan.position - plan.start)
      return chunk
    }
    if (plan.position > plan.end)
      throw this.#wrong(plan, `${plan.position - plan.end} bytes more than it should`)
    await this.#expectEnd(plan)
    return this.#finish(plan, chunk)
  }

  /** The next bytes of a body of unknown length. Its last chunk is delivered only after the end was reached. */
  async #untilItEnds(plan: Plan): Promise<Uint8Array | undefined> {
    for (;;) {
      const chunk = await retry(() => this.#read(), this.#o)
      if (chunk === undefined) return this.#finish(plan, plan.held)
      const { held } = plan
      plan.held = chunk
      plan.position += chunk.byteLength
      await plan.hasher?.update(chunk)
      plan.progress.report(plan.position - plan.start)
      if (held !== undefined) return held
    }
  }

  async stop(reason: unknown): Promise<void> {
    const reader = this.#reader
    this.#reader = undefined
    this.#plan?.hasher?.close()
    await reader?.cancel(reason).catch(() => {})
  }

  /** Ensures a connection, from the start or from where the last connection broke. */
  async #connected(): Promise<Plan> {
    if (this.#plan !== undefined && this.#reader !== undefined) return this.#plan
    const plan = this.#plan
    const content = await this.#open(plan)
    this.#reader = content.body.getReader()
    this.#skip = plan === undefined ? 0 : overlapOf(plan)
    this.#plan = plan ?? this.#begin(content)
    return this.#plan
  }

  async #open(plan: Plan | undefined): Promise<ArtifactContent> {
    const { range, parallel, memory } = this.#o
    const op = { ...opOptions(this.#o), ...(parallel && { parallel }), ...(memory && { memory }) }
    if (plan === undefined) return this.#store.read(this.#id, { ...op, ...(range && { range }) })
    const { etag, size } = plan.record
    if (etag === undefined && size === undefined && plan.position > plan.start) throw this.#unpinned(plan)
    const overlap = overlapOf(plan)
    const rest = omitUndefined({ start: plan.position - overlap, end: plan.end ?? range?.end })
    this.#tellResumed(plan)
    const content = await this.#store
      .read(this.#id, { ...op, range: rest, ...(etag !== undefined && { ifMatch: etag }) })
      .catch((error: unknown) => {
        throw isIvcapError(error, 'precondition-failed') ? this.#changed(error) : error
      })
    const sameContent = content.record.etag === etag && (size === undefined || content.record.size === size)
    const sameRange =
      content.range.start === rest.start && (plan.end === undefined || content.range.end === plan.end)
    if (sameContent && sameRange) return content
    await content.body.cancel().catch(() => {})
    throw this.#changed()
  }

  #tellResumed({ position, start }: Plan): void {
    const { onEvent } = this.#o
    const error = this.#broke
    if (onEvent === undefined || position === start) return
    const message = `the download of ${this.#id} broke off and goes on from byte ${position}`
    emit({ kind: 'resume', message, resource: this.#id, offset: position, ...(error && { error }) }, onEvent)
  }

  #begin({ record, range }: ArtifactContent): Plan {
    const { start, end } = range
    const asked = this.#o.range
    const whole = start === 0 && (end === undefined ? asked?.end === undefined : end === (record.size ?? end))
    if (asked === undefined && !whole) {
      throw this.#error(`the record says ${record.size} bytes, the store has ${end}`)
    }
    const hashes = whole && (end !== undefined || asked === undefined) && record.sha256 !== undefined
    this.#o.onContent?.({ record, range })
    return {
      record,
      start,
      end,
      position: start,
      held: undefined,
      hasher: hashes ? asyncHasher('sha256', end ?? 0) : undefined,
      progress: progressOf(this.#o, end === undefined ? undefined : end - start),
    }
  }

  /** The next bytes; undefined at the end of a body of unknown length. */
  async #read(): Promise<Uint8Array | undefined> {
    const plan = await this.#connected()
    for (;;) {
      const { done, value } = await this.#chunk()
      if (done) {
        this.#reader = undefined
        if (plan.end === undefined) return undefined
        throw this.#short(plan)
      }
      if (this.#skip === 0 && value.byteLength > 0) return value
      const bytes = value.subarray(this.#skip)
      this.#skip -= value.byteLength - bytes.byteLength
      if (bytes.byteLength > 0) return bytes
    }
  }

  async #chunk(): Promise<Result> {
    try {
      return (await this.#reader?.read()) ?? END
    } catch (error) {
      this.#reader = undefined
      if (isIvcapError(error)) this.#broke = error
      throw error
    }
  }

  /** All bytes have arrived. Checks that no more follow, and that the end of the body reports no change of the content. */
  async #expectEnd(plan: Plan): Promise<void> {
    for (;;) {
      const { done, value } = await this.#chunk().catch((error: unknown) => {
        // a connection that breaks after the last byte does no harm
        if (isIvcapError(error) && error.retryable) return END
        throw error
      })
      if (done) return
      if (value.byteLength > 0) throw this.#wrong(plan, `${value.byteLength} bytes more than it should`)
    }
  }

  async #finish(plan: Plan, last: Uint8Array | undefined): Promise<Uint8Array | undefined> {
    const digest = await plan.hasher?.digest()
    plan.hasher?.close()
    if (digest !== undefined && digest !== plan.record.sha256) {
      throw this.#error(`its SHA-256 is ${digest}, not ${plan.record.sha256} as recorded`)
    }
    this.ended = true
    plan.progress.finish(plan.position - plan.start)
    return last
  }

  #wrong(plan: Plan, how: string, retryable = false): IvcapError {
    return this.#error(`bytes ${plan.start}–${plan.end ?? ''} were asked for, and the body has ${how}`, {
      retryable,
    })
  }

  #short(plan: Plan): IvcapError {
    const count = (plan.end ?? plan.position) - plan.position
    return this.#wrong(plan, `${count} bytes fewer than it should`, true)
  }

  #unpinned({ position }: Plan): IvcapError {
    const message =
      `the content of ${this.#id} in ${this.#store.name} broke off at byte ${position}, and neither a size nor an etag tells ` +
      'whether the rest would belong to it: start again'
    const cause = this.#broke
    return new IvcapError('unavailable', message, {
      resource: this.#id,
      retryable: false,
      ...(cause && { cause }),
    })
  }

  #changed(cause?: unknown): IvcapError {
    return this.#error('it changed while it was read: start again', { cause })
  }

  #error(what: string, details: { retryable?: boolean; cause?: unknown } = {}): IvcapError {
    const message = `the content of ${this.#id} in ${this.#store.name} is not what it should be: ${what}`
    return new IvcapError('integrity', message, { resource: this.#id, ...details })
  }
}

type Result =
  | { readonly done: false; readonly value: Uint8Array }
  | { readonly done: true; readonly value?: Uint8Array | undefined }
const END: Result = { done: true }

/** The expected content, and the progress of the read. */
interface Plan {
  readonly record: ArtifactRecord
  readonly start: number
  /** Absent if only the end of the body tells. */
  readonly end: number | undefined
  position: number
  /** Received bytes that are not delivered yet, because they may be the last. */
  held: Uint8Array | undefined
  readonly hasher: AsyncHasher | undefined
  readonly progress: ReturnType<typeof progressOf>
}

/**
 * If the end is unknown, a resumed read requests the last byte again. A range that starts exactly at the end of the content would
 * be refused, and could not be distinguished from a range beyond the end.
 */
const overlapOf = ({ start, end, position }: Plan): number => (end === undefined && position > start ? 1 : 0)
