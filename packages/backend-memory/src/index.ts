import { fileBlobs } from '@ivcap/backend-local'
import type { Backend, Clock } from '@ivcap/core/driver'
import { blobBackend } from '@ivcap/core/engine'
import { memfs } from 'memfs'

export interface MemoryBackendOptions {
  /** Default: the wall clock. */
  readonly clock?: Clock | undefined
}

/**
 * Artifacts and aspects in the memory of this process, for tests: the engine over blobs in an in-memory file system. Each call
 * makes a place of its own; no disk is touched, and nothing is left when the last reference is gone.
 */
export function memoryBackend(o: MemoryBackendOptions = {}): Backend {
  const { fs } = memfs()
  const blobs = fileBlobs({ dir: '/', fs: fs.promises })
  return blobBackend(blobs, { name: 'memory', remembersUploads: false, ...(o.clock && { clock: o.clock }) })
}
