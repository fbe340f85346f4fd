import { Buffer } from 'node:buffer'

/** See `Runtime.allocate`. */
export function allocate(size: number): Uint8Array<ArrayBuffer> {
  // not from Buffer's pool: the ArrayBuffer must not be shared with other buffers
  const { buffer, byteOffset } = Buffer.allocUnsafeSlow(size)
  return new Uint8Array(buffer, byteOffset, size)
}
