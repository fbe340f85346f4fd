import { IvcapError, isIvcapError } from '../model/errors.js'
import { show } from '../model/urn.js'
import type { ByteSource } from '../ports/index.js'
import { bytesFrom } from './bytes.js'
import { pullStream } from './pull-stream.js'

/** Bytes that come once, in order. */
export interface Chunks {
  /** The next ones; undefined at the end. */
  next(): Promise<Uint8Array | undefined>
  /** Gives up on the rest. */
  stop(reason: unknown): Promise<void>
}

export interface OneShotOptions {
  /** The caller's name for it, for messages. */
  readonly argument: string
  /** Bytes that it must have; absent: whatever comes. */
  readonly size?: number | undefined
}

/**
 * A source that can be opened once, at offset 0. Where its size was declared it holds the last chunk back until the end has
 * come, so that whoever reads just as many bytes as were declared still learns of more.
 */
export function oneShotSource(begin: () => Chunks, o: OneShotOptions): ByteSource {
  let opened = false
  return {
    ...(o.size !== undefined && { size: o.size }),
    replayable: false,
    open({ offset = 0, end, signal } = {}) {
      if (opened || offset !== 0) throw again(o.argument, offset)
      opened = true
      return streamChunks(begin(), { ...o, end, signal })
    },
  }
}

function streamChunks(
  chunks: Chunks,
  o: OneShotOptions & { readonly end?: number | undefined; readonly signal?: AbortSignal | undefined },
): ReadableStream<Uint8Array> {
  const { size, argument, end = Number.POSITIVE_INFINITY, signal } = o
  let position = 0
  const stop = (reason: unknown) => chunks.stop(reason).catch(() => {})
  const read = async () => {
    try {
      return await chunks.next()
    } catch (cause) {
      if (isIvcapError(cause)) throw cause
      throw cause instanceof WrongChunk ? wrongChunk(argument, cause) : failed(argument, cause)
    }
  }
  const next = async () => {
    const chunk = await read()
    signal?.throwIfAborted()
    const reached = position + (chunk?.byteLength ?? 0)
    if (size !== undefined && (reached > size || (chunk === undefined && reached < size))) {
      throw wrongSize(argument, size, reached)
    }
    if (chunk === undefined) return { done: true }
    if (reached >= end) {
      await stop(undefined)
      return { chunk: chunk.subarray(0, end - position), done: true }
    }
    position = reached
    if (position !== size) return { chunk, done: false }
    const more = await read()
    if (more !== undefined) throw wrongSize(argument, size, position + more.byteLength)
    return { chunk, done: true }
  }
  return pullStream({ next, stop, signal, started: true })
}

/** The chunks of a web stream. */
export function chunksOfStream(stream: ReadableStream<Uint8Array>): Chunks {
  const reader = stream.getReader()
  const bytes = bytesOf()
  return {
    next: () => nonEmpty(() => reader.read(), bytes),
    stop: (reason) => reader.cancel(reason),
  }
}

/** The chunks of an iterable, a Node stream among them. */
export function chunksOfIterable(
  iterable: AsyncIterable<Uint8Array | string> | Iterable<Uint8Array | string>,
): Chunks {
  const iterator =
    Symbol.asyncIterator in iterable ? iterable[Symbol.asyncIterator]() : iterable[Symbol.iterator]()
  const bytes = bytesOf()
  let pending = false
  return {
    async next() {
      pending = true
      try {
        return await nonEmpty(async () => iterator.next(), bytes)
      } finally {
        pending = false
      }
    },
    async stop() {
      // a Node stream lets go of what it is waiting for; a generator can't, and its return() would wait for it
      if ('destroy' in iterable && typeof iterable.destroy === 'function') iterable.destroy()
      const returned = Promise.resolve(iterator.return?.())
      returned.catch(() => {})
      if (!pending) await returned
    },
  }
}

type Result = { readonly done?: boolean | undefined; readonly value?: unknown }

async function nonEmpty(
  read: () => Promise<Result>,
  bytes: (value: unknown, done: boolean) => Uint8Array,
): Promise<Uint8Array | undefined> {
  for (;;) {
    const { done = false, value } = await read()
    const chunk = bytes(value, done)
    if (chunk.byteLength > 0) return chunk
    if (done) return undefined
  }
}

/** Bytes as they are, text as UTF-8; a character that two texts share (a surrogate pair) is put together again. */
function bytesOf(): (value: unknown, done: boolean) => Uint8Array {
  const encoder = new TextEncoder()
  let half = ''
  return (value, done) => {
    if (done || typeof value === 'string') {
      const text = done ? half : `${half}${value}`
      half = !done && /[\ud800-\udbff]$/.test(text) ? text.slice(-1) : ''
      return encoder.encode(half === '' ? text : text.slice(0, -1))
    }
    const bytes = bytesFrom(value, 'content')
    if (bytes === undefined) throw new WrongChunk(value)
    if (half === '') return bytes
    const before = encoder.encode(half)
    half = ''
    const both = new Uint8Array(before.byteLength + bytes.byteLength)
    both.set(before)
    both.set(bytes, before.byteLength)
    return both
  }
}

/** A chunk that isn't bytes or text; named once the argument is known. */
class WrongChunk extends Error {
  constructor(readonly value: unknown) {
    super()
  }
}

function wrongChunk(argument: string, { value }: WrongChunk): IvcapError {
  const got = typeof value === 'object' ? Object.prototype.toString.call(value) : show(value)
  return new IvcapError(
    'invalid-argument',
    `${argument} yielded ${got}: give a stream or an iterable of Uint8Array`,
    { argument },
  )
}

function failed(argument: string, cause: unknown): IvcapError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new IvcapError('invalid-argument', `${argument} failed while it was read: ${why}`, {
    argument,
    cause,
  })
}

function again(argument: string, offset: number): IvcapError {
  const what = offset === 0 ? 'a second time' : `again from byte ${offset}`
  return new IvcapError(
    'invalid-argument',
    `${argument} is a stream, which can't be read ${what}: give bytes, a Blob or a file, which can`,
    { argument },
  )
}

/** `count`: bytes that have come so far. */
export function wrongSize(argument: string, size: number, count: number): IvcapError {
  const has = count > size ? `${count} or more` : String(count)
  return new IvcapError(
    'invalid-argument',
    `contentSize is ${size}, but ${argument} has ${has} bytes: give the size that it has, or leave contentSize out`,
    { argument: 'contentSize' },
  )
}
