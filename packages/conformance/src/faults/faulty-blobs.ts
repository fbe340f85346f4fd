import { type BlobPage, type BlobStore, type ByteSource, IvcapError } from '@ivcap/core/driver'
import { dropAfter, flipAt } from './bodies.js'
import { randomOf } from './random.js'

export interface FaultOptions {
  /** The same calls in the same order get the same faults from the same seed. */
  readonly seed: number
  /** Probability that a call gets a fault, from 0 to 1. @default 0.1 */
  readonly rate?: number
  /** Maximum number of consecutive faults of the same call on the same key. @default 2 */
  readonly inARow?: number
  /** Returns true if readers of this blob detect a flipped bit, e.g. by a digest. @default never */
  readonly verified?: (key: string) => boolean
}

export interface FaultyBlobs extends BlobStore {
  /** Resolves once all late requests have been carried out. */
  settled(): Promise<void>
}

/** The fault of a call. If the call fails, it fails with the retryable code `unavailable`. */
type Fault =
  /** The request never arrived. */
  | 'before'
  /** The request was carried out, but the response was lost. */
  | 'after'
  /** The call failed, but the request is carried out a little later. */
  | 'late'
  /** The call failed, but the request is carried out after many other calls. */
  | 'much later'
  /** The request was carried out twice. The caller gets the second response. */
  | 'twice'
  /** The connection broke while a body was transferred. */
  | 'midway'
  /** A bit of the body is flipped. */
  | 'flip'
  /** A page has fewer items than the store returned, and `more` is true. */
  | 'short'

/** Upper limit of the event loop turns before a `late` request is carried out. */
const LATE = 12
/** Maximum number of other calls before a `much later` request is carried out. */
const MUCH_LATER = 60

/**
 * Wraps a blob store and simulates a bad network. Requests are lost, delayed or sent twice. Responses are lost after the request
 * was carried out. Bodies break off. Each call takes a random number of event loop turns, so that calls overlap in different
 * ways. The seed determines all this.
 */
export function faultyBlobs(blobs: BlobStore, o: FaultOptions): FaultyBlobs {
  const { seed, rate = 0.1, inARow = 2, verified = () => false } = o
  const random = randomOf(seed)
  const failures = new Map<string, number>()
  const late = new Set<Promise<unknown>>()
  /** Functions that start `much later` requests, with the number of calls that come before them. */
  const waiting = new Map<() => void, number>()

  const draw = <F extends Fault>(call: string, kinds: readonly F[]): F | undefined => {
    const before = failures.get(call) ?? 0
    if (before >= inARow || random() >= rate) {
      failures.delete(call)
      return undefined
    }
    failures.set(call, before + 1)
    return kinds[Math.floor(random() * kinds.length)]
  }
  const countCall = () => {
    for (const [go, left] of waiting) {
      if (left > 1) waiting.set(go, left - 1)
      else go()
    }
  }
  const manyCalls = () =>
    new Promise<void>((resolve) => {
      const go = () => {
        waiting.delete(go)
        resolve()
      }
      waiting.set(go, 1 + Math.floor(random() * MUCH_LATER))
    })
  const dawdle = async (most = 3) => {
    for (let turns = Math.floor(random() * most); turns > 0; turns--) {
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  /** Runs a call that returns no body. */
  const call = async <T>(
    name: string,
    key: string,
    fault: Exclude<Fault, 'midway' | 'flip' | 'short'> | undefined,
    run: () => Promise<T>,
  ): Promise<T> => {
    countCall()
    await dawdle()
    if (fault === 'before') throw lost(name, key)
    if (fault === 'late' || fault === 'much later') {
      const done = (fault === 'late' ? dawdle(LATE) : manyCalls()).then(run)
      const settled = done.catch(() => {}).finally(() => late.delete(settled))
      late.add(settled)
      throw comesLate(name, key)
    }
    if (fault === 'twice') await run().catch(() => {})
    const answer = await run()
    await dawdle()
    if (fault === 'after') throw lostAnswer(name, key)
    return answer
  }

  return {
    uri: blobs.uri,
    atomicCreate: blobs.atomicCreate,
    async settled() {
      for (const go of waiting.keys()) go()
      await Promise.all(late)
    },
    head: (key, o) => call('head', key, draw(`head ${key}`, ['before', 'after']), () => blobs.head(key, o)),
    async list(q, o) {
      const fault = draw(`list ${q.prefix}`, ['before', 'after', 'short'])
      const page = await call('list', q.prefix, fault === 'short' ? undefined : fault, () => blobs.list(q, o))
      return fault === 'short' ? cutShort(page, random()) : page
    },
    delete: (key, o) =>
      call('delete', key, draw(`delete ${key}`, ['before', 'after', 'late', 'much later', 'twice']), () =>
        blobs.delete(key, o),
      ),

    async put(key, body, o) {
      const fault = draw(`put ${key}`, putFaults(body.replayable, o.mode))
      const sent = fault === 'midway' ? breakingOff(body, random(), lost('put', key)) : body
      return call('put', key, fault === 'midway' ? undefined : fault, () => blobs.put(key, sent, o))
    },

    async get(key, o) {
      const fault = draw(`get ${key}`, verified(key) ? ['before', 'midway', 'flip'] : ['before', 'midway'])
      await dawdle()
      if (fault === 'before') throw lost('get', key)
      const content = await blobs.get(key, o)
      if (fault === undefined) return content
      const at = Math.floor(random() * (content.range.end - content.range.start))
      const body = fault === 'flip' ? flipAt(content.body, at) : dropAfter(content.body, at, lost('get', key))
      return { ...content, body }
    },
  }
}

/**
 * Returns the faults that a put may get. If a body that is not replayable broke off, it could not be sent again, and the upload
 * would rightly fail. A creation is never carried out twice: a driver that repeats a creation finds out itself which attempt
 * created the blob.
 */
function putFaults(
  replayable: boolean,
  mode: 'create' | 'overwrite',
): readonly ('before' | 'after' | 'midway' | 'late' | 'much later' | 'twice')[] {
  if (!replayable) return ['before', 'after']
  return [
    'before',
    'after',
    'midway',
    'late',
    'much later',
    ...(mode === 'overwrite' ? ['twice' as const] : []),
  ]
}

/** Returns a part of the page, with at least one item or prefix. */
function cutShort({ items, prefixes, more }: BlobPage, part: number): BlobPage {
  const names = [...items.map(({ key }) => key), ...(prefixes ?? [])].sort()
  const kept = new Set(names.slice(0, 1 + Math.floor(part * names.length)))
  return {
    items: items.filter(({ key }) => kept.has(key)),
    ...(prefixes && { prefixes: prefixes.filter((name) => kept.has(name)) }),
    more: more || kept.size < names.length,
  }
}

/** Returns the source with a stream that fails after a part of its bytes. */
function breakingOff(source: ByteSource, part: number, fault: IvcapError): ByteSource {
  return {
    ...(source.size !== undefined && { size: source.size }),
    replayable: source.replayable,
    open: (o) => dropAfter(source.open(o), Math.floor(part * (source.size ?? 0)), fault),
  }
}

function lost(call: string, key: string): IvcapError {
  return new IvcapError('unavailable', `${call} ${key}: the connection broke (a fault of the test)`)
}

function comesLate(call: string, key: string): IvcapError {
  return new IvcapError('unavailable', `${call} ${key}: no answer came in time (a fault of the test)`)
}

function lostAnswer(call: string, key: string): IvcapError {
  return new IvcapError('unavailable', `${call} ${key}: the answer was lost (a fault of the test)`)
}
