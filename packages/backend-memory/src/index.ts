import { type Backend, checkOptions, type EventListener } from '@ivcap/core/driver'
import { blobBackend } from '@ivcap/core/engine'
import type { Clock, OptionNames } from '@ivcap/core/internal'
import { memoryBlobs } from './memory-blobs.js'

export interface MemoryBackendOptions {
  /** Default: the wall clock. */
  readonly clock?: Clock | undefined
  /** Hears what results do not tell: records that are left out of lists. @default no listener */
  readonly onEvent?: EventListener | undefined
}

const OPTIONS: OptionNames<MemoryBackendOptions> = { clock: true, onEvent: true }

/**
 * Artifacts and aspects in the memory of this process, for tests: the engine over blobs in an in-memory file system. Each call
 * makes a place of its own; no disk is touched, and nothing is left when the last reference is gone.
 */
export function memoryBackend(o: MemoryBackendOptions = {}): Backend {
  const { clock, onEvent } = checkOptions(o, OPTIONS, 'memoryBackend')
  return blobBackend(memoryBlobs(), { name: 'memory', remembersUploads: false, clock, onEvent })
}
