import { IvcapError, isIvcapError } from '../model/errors.js'
import { show } from '../model/urn.js'
import type { ByteSource } from '../ports/index.js'
import { bytesFrom } from './bytes.js'
import { pullStream } from './pull-stream.js'

/** Bytes that can be read once, in order. */
export interface Chunks {
  /** The next bytes; undefined at the end. */
  next(): Promise<Uint8Array | undefined>
  /** Discards the remaining bytes. */
  stop(reason: unknown): Promise<void>
}

export interface OneShotOptions {
  /** The caller's name of the content, for error messages. */
  readonly argument: string
  /** Required number of bytes. If absent, any number is accepted. */
  readonly size?: number | undefined
}

/**
 * A source that can be opened once, at offset 0. If its size is declared, the last chunk is delivered only after the end was
 * reached. So a reader that stops after the declared number of bytes still gets the error if there are more.
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

/** Reads the chunks of a web stream. */
export function chunksOfStream(stream: ReadableStream<Uint8Array>): Chunks {
  const reader = stream.getReader()
  const bytes = bytesOf()
  return {
    next: () => nonEmpty(() => reader.read(), bytes),
    stop: (reason) => reader.cancel(reason),
  }
}

/** Reads the chunks of an iterable, e.g. a Node stream. */
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
      // destroy() ends the pending read of a Node stream; a generator cannot be interrupted, and its return() waits for it
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

/** Bytes stay as they are; text becomes UTF-8. A surrogate pair that is split between two texts is joined. */
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

/** A chunk that is neither bytes nor text. The error message is made later, when the argument is known. */
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

/** @param count bytes that have been read so far */
export function wrongSize(argument: string, size: number, count: number): IvcapError {
  const has = count > size ? `${count} or more` : String(count)
  return new IvcapError(
    'invalid-argument',
    `contentSize is ${size}, but ${argument} has ${has} bytes: give the size that it has, or leave contentSize out`,
    { argument: 'contentSize' },
  )
}
