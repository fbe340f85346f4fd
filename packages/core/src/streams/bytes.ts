import { IvcapError } from '../model/errors.js'
import type { ByteSource, OpenOptions } from '../ports/index.js'
import { type PieceOptions, streamPieces } from './pieces.js'

type Buffers = ArrayBuffer | SharedArrayBuffer

/**
 * The bytes of a typed array, a DataView or a buffer, also of another realm (an iframe, `node:vm`, jsdom); undefined for any other
 * value. Bytes that another thread may change, or whose buffer can be resized, are copied; others are not.
 *
 * @param argument name of the argument, for error messages
 * @throws IvcapError `invalid-argument` if the buffer was transferred, or has become too small for the view
 */
export function bytesFrom(value: unknown, argument: string): Uint8Array | undefined {
  const view = ArrayBuffer.isView(value)
  if (!view && !isBuffer(value)) return undefined
  const buffer: Buffers = view ? value.buffer : value
  let bytes: Uint8Array
  try {
    // creates a view of this realm; throws for a detached buffer, and for a view that is out of bounds
    bytes = view ? new Uint8Array(buffer, value.byteOffset, value.byteLength) : new Uint8Array(buffer)
  } catch (cause) {
    const message = `the buffer of ${argument} was transferred or has become too small: give bytes that stay as they are`
    throw new IvcapError('invalid-argument', message, { argument, cause })
  }
  if (isShared(buffer) || ('resizable' in buffer && buffer.resizable === true)) return Uint8Array.from(bytes)
  return value instanceof Uint8Array ? value : bytes
}

/** The caller must not change `bytes` until the operation that uses the source has ended: they are not copied. */
export function bytesSource(bytes: Uint8Array): ByteSource {
  const reader = {
    read: async (start: number, end: number) => bytes.subarray(start, end),
    close: async () => {},
  }
  return {
    size: bytes.byteLength,
    replayable: true,
    native: { kind: 'bytes', bytes },
    open: (o) => streamPieces(async () => reader, within(bytes.byteLength, o)),
  }
}

/** Limits the requested range to `size` bytes. */
export function within(size: number, o: OpenOptions = {}): PieceOptions {
  const end = Math.min(o.end ?? size, size)
  return { start: Math.min(o.offset ?? 0, end), end, signal: o.signal }
}

const isBuffer = (value: unknown): value is Buffers =>
  hasByteLength(ArrayBuffer.prototype, value) || isShared(value)

/** SharedArrayBuffer is undefined in browsers unless the page is cross-origin isolated. */
const isShared = (value: unknown): value is SharedArrayBuffer =>
  typeof SharedArrayBuffer !== 'undefined' && hasByteLength(SharedArrayBuffer.prototype, value)

/** Calls the getter, which checks the internal type of the value, also of a value from another realm. */
function hasByteLength(prototype: object, value: unknown): boolean {
  const getter = Object.getOwnPropertyDescriptor(prototype, 'byteLength')?.get
  try {
    getter?.call(value)
    return getter !== undefined
  } catch {
    return false
  }
}
