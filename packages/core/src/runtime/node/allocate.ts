import { Buffer } from 'node:buffer'

/** See `Runtime.allocate`. */
export function allocate(size: number): Uint8Array<ArrayBuffer> {
  // not from the pool: of an ArrayBuffer of its own, which nobody else's bytes share
  const { buffer, byteOffset } = Buffer.allocUnsafeSlow(size)
  return new Uint8Array(buffer, byteOffset, size)
}
