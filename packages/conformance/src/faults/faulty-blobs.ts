import { type BlobPage, type BlobStore, type ByteSource, IvcapError } from '@ivcap/core/driver'
import { dropAfter, flipAt } from './bodies.js'
import { randomOf } from './random.js'

export interface FaultOptions {
  /** The same seed gives the same faults to the same calls in the same order. */
  readonly seed: number
  /** How often a call goes wrong, from 0 to 1. Default 0.1. */
  readonly rate?: number
  /** How often the same call on the same key goes wrong in a row, at the most. Default 2. */
  readonly inARow?: number
  /** Whether who reads this blob learns that a bit of it was flipped: by a digest, say. Default: never. */
  readonly verified?: (key: string) => boolean
}

export interface FaultyBlobs extends BlobStore {
  /** Resolves once all is done that came late. */
  settled(): Promise<void>
}

/** How a call goes wrong. What fails comes to the caller as `unavailable`, worth another try. */
type Fault =
  /** The request never arrived. */
  | 'before'
  /** It was carried out, and the answer was lost. */
  | 'after'
  /** It failed, and is carried out all the same, a while later. */
  | 'late'
  /** It failed, and is carried out when the caller has made many other calls. */
  | 'much later'
  /** It was carried out twice; the second answer counts. */
  | 'twice'
  /** The connection broke while a body was on its way. */
  | 'midway'
  /** A bit of the body is another. */
  | 'flip'
  /** A page has fewer items than there are, and says that there are more. */
  | 'short'

/** Turns that others have before what comes late is done. */
const LATE = 12
/** Calls that others have made before what comes much later is done, at the most. */
const MUCH_LATER = 60

/**
 * A blob store that behaves as stores behind a bad network do: requests get lost, come late or twice, answers get lost after
 * the work was done, bodies break off, and everything takes its turns, so that calls overlap in ever other ways. Which, the
 * seed says.
 */
export function faultyBlobs(blobs: BlobStore, o: FaultOptions): FaultyBlobs {
  const { seed, rate = 0.1, inARow = 2, verified = () => false } = o
  const random = randomOf(seed)
  const failures = new Map<string, number>()
  const late = new Set<Promise<unknown>>()
  /** What comes much later, and how many calls come before it. */
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
  /** For calls that get no body. */
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
 * A stream that breaks off can't be sent again: such an upload is lost, and rightly so. And a driver that repeats a creation
 * settles by itself who made what is there.
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

/** A part of the page, at least one item or prefix. */
function cutShort({ items, prefixes, more }: BlobPage, part: number): BlobPage {
  const names = [...items.map(({ key }) => key), ...(prefixes ?? [])].sort()
  const kept = new Set(names.slice(0, 1 + Math.floor(part * names.length)))
  return {
    items: items.filter(({ key }) => kept.has(key)),
    ...(prefixes && { prefixes: prefixes.filter((name) => kept.has(name)) }),
    more: more || kept.size < names.length,
  }
}

/** The source, whose stream fails after a part of its bytes. */
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
