import { sha256 } from '@noble/hashes/sha2.js'
import type { Hasher } from '../streams/hasher.js'

/** SHA-256 without Node. A module of its own, so that a page that verifies no digest does not load it. */
export function createSha256(): Hasher {
  const hash = sha256.create()
  return {
    update: (bytes) => void hash.update(bytes),
    digest: () => Array.from(hash.digest(), (byte) => byte.toString(16).padStart(2, '0')).join(''),
  }
}
