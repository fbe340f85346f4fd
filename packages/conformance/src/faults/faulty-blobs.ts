import { type BlobStore, type ByteSource, IvcapError } from '@ivcap/core/driver'
import { dropAfter } from './dropping.js'
import { randomOf } from './random.js'

export interface FaultOptions {
  /** The same seed gives the same faults to the same calls in the same order. */
  readonly seed: number
  /** How often a call goes wrong, from 0 to 1. Default 0.1. */
  readonly rate?: number
  /** How often the same call on the same key goes wrong in a row, at the most. Default 2. */
  readonly inARow?: number
}

/** How a call goes wrong. All of them come to the caller as `unavailable`, worth another try. */
type Fault =
  /** The request never arrived. */
  | 'before'
  /** It was carried out, and the answer was lost. */
  | 'after'
  /** The connection broke while a body was on its way. */
  | 'midway'

/**
 * A blob store that behaves as stores behind a bad network do: requests get lost, answers get lost after the work was
 * done, bodies break off, and everything takes its turns, so that calls overlap in ever other ways. Which, the seed says.
 */
export function faultyBlobs(blobs: BlobStore, { seed, rate = 0.1, inARow = 2 }: FaultOptions): BlobStore {
  const random = randomOf(seed)
  const failures = new Map<string, number>()

  const draw = <F extends Fault>(call: string, kinds: readonly F[]): F | undefined => {
    const before = failures.get(call) ?? 0
    if (before >= inARow || random() >= rate) {
      failures.delete(call)
      return undefined
    }
    failures.set(call, before + 1)
    return kinds[Math.floor(random() * kinds.length)]
  }
  const dawdle = async () => {
    for (let turns = Math.floor(random() * 3); turns > 0; turns--) {
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  /** For calls without a body. */
  const call = async <T>(name: string, key: string, run: () => Promise<T>): Promise<T> => {
    const fault = draw(`${name} ${key}`, ['before', 'after'])
    await dawdle()
    if (fault === 'before') throw lost(name, key)
    const answer = await run()
    await dawdle()
    if (fault === 'after') throw lostAnswer(name, key)
    return answer
  }

  return {
    uri: blobs.uri,
    atomicCreate: blobs.atomicCreate,
    head: (key, o) => call('head', key, () => blobs.head(key, o)),
    list: (q, o) => call('list', q.prefix, () => blobs.list(q, o)),
    delete: (key, o) => call('delete', key, () => blobs.delete(key, o)),

    async put(key, body, o) {
      // a stream that breaks off can't be sent again: such an upload is lost, and rightly so
      const fault = draw(`put ${key}`, body.replayable ? ['before', 'after', 'midway'] : ['before', 'after'])
      await dawdle()
      if (fault === 'before') throw lost('put', key)
      if (fault === 'midway') return blobs.put(key, breakingOff(body, random(), lost('put', key)), o)
      const info = await blobs.put(key, body, o)
      await dawdle()
      if (fault === 'after') throw lostAnswer('put', key)
      return info
    },

    async get(key, o) {
      const fault = draw(`get ${key}`, ['before', 'midway'])
      await dawdle()
      if (fault === 'before') throw lost('get', key)
      const content = await blobs.get(key, o)
      if (fault === undefined) return content
      const bytes = Math.floor(random() * (content.range.end - content.range.start))
      return { ...content, body: dropAfter(content.body, bytes, lost('get', key)) }
    },
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

function lostAnswer(call: string, key: string): IvcapError {
  return new IvcapError('unavailable', `${call} ${key}: the answer was lost (a fault of the test)`)
}
