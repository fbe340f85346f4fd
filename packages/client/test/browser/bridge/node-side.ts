/** What a page may ask of the test in Node: the bytes of sources, and to be told of progress. */
import type { ByteSource } from '@ivcap/core/driver'
import { encode, type Fault, type NodeSide, outcomeOf } from './messages.js'

type OnProgress = (accepted: number, total?: number) => void

/** What Node has lent to a page, by number. */
export class Lent {
  readonly sources: ByteSource[] = []
  readonly errors: unknown[] = []
  readonly progress = new Map<number, OnProgress>()

  readonly fault = (error: unknown): Fault => ({ id: this.errors.push(error) - 1, message: String(error) })
}

interface Opened {
  readonly reader: ReadableStreamDefaultReader<Uint8Array>
  readonly caller: AbortController
}

export function nodeSide(lent: Lent): NodeSide {
  const streams: Opened[] = []
  const answer = <T>(work: () => Promise<T>) => outcomeOf(work, lent.fault)
  return {
    open: (source, range) =>
      answer(async () => {
        const caller = new AbortController()
        const stream = lent.sources[source]?.open({ ...range, signal: caller.signal })
        if (stream === undefined) throw new Error(`there is no source ${source}`)
        return streams.push({ reader: stream.getReader(), caller }) - 1
      }),
    pull: (stream) =>
      answer(async () => {
        const next = await streams[stream]?.reader.read()
        return next?.value ? encode(next.value) : null
      }),
    cancel: (stream) =>
      answer(async () => {
        await streams[stream]?.reader.cancel()
        return null
      }),
    abortSource: (stream) =>
      answer(async () => {
        streams[stream]?.caller.abort(new Error('aborted in the page'))
        return null
      }),
    unchanged: (source) => answer(async () => (await lent.sources[source]?.unchanged?.()) ?? true),
    progress: (call, accepted, total) =>
      answer(async () => {
        lent.progress.get(call)?.(accepted, total ?? undefined)
        return null
      }),
  }
}
