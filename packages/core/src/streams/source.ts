import { isDisturbed } from '#runtime'
import { IvcapError } from '../model/errors.js'
import { show } from '../model/urn.js'
import type { ByteSource } from '../ports/index.js'
import { bytesFrom, bytesSource, within } from './bytes.js'
import { chunksOfIterable, chunksOfStream, oneShotSource, wrongSize } from './one-shot.js'
import { streamPieces } from './pieces.js'

/**
 * Bytes to store. Text is stored as UTF-8. A stream or an iterable (e.g. a Node Readable) is read once. Other content can be read
 * again, so its upload can be resumed after a failure.
 */
export type Content =
  | Uint8Array
  | ArrayBuffer
  | string
  | Blob
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array | string>
  | Iterable<Uint8Array>

/**
 * A source for `content` that checks itself. A stream with more or fewer bytes than `size` fails with `invalid-argument` for
 * `contentSize`. A stream that is opened twice, or was read before, fails with an error that says so. The error of a stream
 * becomes the `cause` of the source's error.
 *
 * @param o.size bytes as declared by the caller; absent or -1 means unknown
 * @throws IvcapError `invalid-argument` for a value that is not content, was already read, or is known not to have `size` bytes
 */
export function contentSource(content: Content, o: { readonly size?: number | undefined } = {}): ByteSource {
  const size = o.size === -1 ? undefined : o.size
  if (size !== undefined && (!Number.isSafeInteger(size) || size < 0)) {
    const message = `contentSize must be a whole number of bytes, or -1 for unknown, not ${show(size)}`
    throw new IvcapError('invalid-argument', message, { argument: 'contentSize' })
  }
  const source = sourceOf(content, size)
  if (size !== undefined && source.size !== size) throw wrongSize('content', size, source.size ?? 0)
  return source
}

function sourceOf(content: unknown, size: number | undefined): ByteSource {
  if (typeof content === 'string') return bytesSource(new TextEncoder().encode(content))
  const bytes = bytesFrom(content, 'content')
  if (bytes !== undefined) return bytesSource(bytes)
  if (isBlob(content)) return blobSource(content)
  const o = { argument: 'content', size }
  if (isStream(content)) {
    checkUnread(content)
    return oneShotSource(() => {
      checkUnread(content)
      return chunksOfStream(content)
    }, o)
  }
  if (isIterable(content)) {
    checkUnread(content)
    return oneShotSource(() => {
      checkUnread(content)
      return chunksOfIterable(content)
    }, o)
  }
  throw new IvcapError(
    'invalid-argument',
    `content is ${show(content)}: give bytes, text, a Blob, a stream, or an iterable of Uint8Array`,
    { argument: 'content' },
  )
}

function blobSource(blob: Blob): ByteSource {
  const reader = {
    // reads slices, because Blob.stream() delivers small chunks and is much slower
    read: async (start: number, end: number) => new Uint8Array(await sliceOf(blob, start, end)),
    close: async () => {},
  }
  return {
    size: blob.size,
    replayable: true,
    native: { kind: 'blob', blob },
    open: (o) => streamPieces(async () => reader, within(blob.size, o)),
  }
}

async function sliceOf(blob: Blob, start: number, end: number): Promise<ArrayBuffer> {
  try {
    return await blob.slice(start, end).arrayBuffer()
  } catch (cause) {
    const message =
      'content can no longer be read: the file behind it was changed or removed; choose it again'
    throw new IvcapError('integrity', message, { argument: 'content', cause })
  }
}

function checkUnread(content: ReadableStream | object): void {
  const locked = 'locked' in content && content.locked === true
  const destroyed = 'destroyed' in content && content.destroyed === true
  if (!locked && !destroyed && !isDisturbed(content)) return
  const why = locked ? 'is being read by somebody else' : 'was read or closed before'
  throw new IvcapError('invalid-argument', `content ${why}: give a stream that nobody has read from`, {
    argument: 'content',
  })
}

/** Duck-typed, since a Blob may come from another realm or a polyfill. */
export function isBlob(value: unknown): value is Blob {
  return (
    hasMethod(value, 'arrayBuffer') &&
    hasMethod(value, 'slice') &&
    'size' in value &&
    typeof value.size === 'number'
  )
}

function isStream(value: unknown): value is ReadableStream<Uint8Array> {
  return hasMethod(value, 'getReader')
}

function isIterable(value: unknown): value is AsyncIterable<Uint8Array | string> | Iterable<Uint8Array> {
  return hasMethod(value, Symbol.asyncIterator) || hasMethod(value, Symbol.iterator)
}

/** Duck-typed, since values may come from another realm or a polyfill. */
export function hasMethod<K extends PropertyKey>(value: unknown, method: K): value is Record<K, unknown> {
  if (typeof value !== 'object' || value === null) return false
  return method in value && typeof Reflect.get(value, method) === 'function'
}
