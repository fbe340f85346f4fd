import { createSha256 } from '#sha256'
import type { ByteSource } from '../ports/index.js'
import { withHash } from './digest.js'

export { createSha256 }

/**
 * `source`, with its SHA-256 computed as it is read: known once a stream opened at offset 0, and the streams that went on from
 * it, were read to the end. Undefined if the store read the file or Blob in `native` instead, so that no bytes passed here.
 */
export function withDigest(source: ByteSource): {
  readonly source: ByteSource
  sha256(): string | undefined
} {
  const { source: hashed, digest } = withHash(source, createSha256)
  return { source: hashed, sha256: digest }
}
