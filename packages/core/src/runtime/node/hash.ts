import { createHash } from 'node:crypto'
import type { Hasher } from '../../streams/hasher.js'

export const createSha256 = (): Hasher => hasher('sha256')
export const createMd5 = (): Hasher => hasher('md5')

function hasher(algorithm: 'sha256' | 'md5'): Hasher {
  const hash = createHash(algorithm)
  return {
    update: (bytes) => void hash.update(bytes),
    digest: () => hash.digest('hex'),
  }
}
