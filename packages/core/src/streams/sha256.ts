import { createSha256 } from '#sha256'
import type { ByteSource } from '../ports/index.js'
import { withHash } from './digest.js'

export { createSha256 }

/**
 * Wraps `source` to compute its SHA-256 while it is read. The digest is known after a stream that was opened at offset 0, and the
 * streams that continued it, were read to the end. Undefined if the store read the file or Blob in `native` instead of the stream.
 */
export function withDigest(source: ByteSource): {
  readonly source: ByteSource
  sha256(): string | undefined
} {
  const { source: hashed, digest } = withHash(source, createSha256)
  return { source: hashed, sha256: digest }
}
