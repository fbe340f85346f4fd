import { join } from 'node:path'
import { fileBlobs } from '@ivcap/backend-local'
import { memoryBackend } from '@ivcap/backend-memory'
import type { Backend } from '@ivcap/core/driver'
import { blobBackend } from '@ivcap/core/engine'

export const BACKENDS = ['folder', 'memory'] as const
export type BackendKind = (typeof BACKENDS)[number]

/** Artifacts and aspects below `dir`, or in memory, where they end with the process. */
export function backendOf(kind: BackendKind, dir: string): Backend {
  return kind === 'memory' ? memoryBackend() : blobBackend(fileBlobs({ dir: join(dir, 'blobs') }))
}
