import { join } from 'node:path'
import { fileBlobs } from '@ivcap/backend-local'
import type { Backend } from '@ivcap/core/driver'
import { blobBackend } from '@ivcap/core/engine'

/** Artifacts and aspects below `dir`. */
export function folderBackend(dir: string): Backend {
  return blobBackend(fileBlobs({ dir: join(dir, 'blobs') }))
}
