import { type BlobStore, type ByteSource, IvcapError } from '@ivcap/core/driver'
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
  /** It was carried out twice; the second answer counts. */
  | 'twice'
  /** The connection broke while a body was on its way. */
  | 'midway'
  /** A bit of the body is another. */
  | 'flip'

/** Turns that others have before what comes late is done. */
const LATE = 12

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

  const draw = <F extends Fault>(call: string, kinds: readonly F[]): F | undefined => {
    const before = failures.get(call) ?? 0
    if (before >= inARow || random() >= rate) {
      failures.delete(call)
      return undefined
    }
    failures.set(call, before + 1)
    return kinds[Math.floor(random() * kinds.length)]
  }
  const dawdle = async (most = 3) => {
    for (let turns = Math.floor(random() * most); turns > 0; turns--) {
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  /** For calls that get no body. */
  const call = async <T>(
    name: string,
    key: string,
    fault: Exclude<Fault, 'midway' | 'flip'> | undefined,
    run: () => Promise<T>,
  ): Promise<T> => {
    await dawdle()
    if (fault === 'before') throw lost(name, key)
    if (fault === 'late') {
      const done = dawdle(LATE).then(run)
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
    settled: async () => void (await Promise.all(late)),
    head: (key, o) => call('head', key, draw(`head ${key}`, ['before', 'after']), () => blobs.head(key, o)),
    list: (q, o) =>
      call('list', q.prefix, draw(`list ${q.prefix}`, ['before', 'after']), () => blobs.list(q, o)),
    delete: (key, o) =>
      call('delete', key, draw(`delete ${key}`, ['before', 'after', 'late', 'twice']), () =>
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
): readonly ('before' | 'after' | 'midway' | 'late' | 'twice')[] {
  if (!replayable) return ['before', 'after']
  return ['before', 'after', 'midway', 'late', ...(mode === 'overwrite' ? ['twice' as const] : [])]
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
