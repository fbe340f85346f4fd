import { type Backend, checkOptions, type EventListener } from '@ivcap/core/driver'
import { blobBackend } from '@ivcap/core/engine'
import type { Clock, OptionNames } from '@ivcap/core/internal'
import { memoryBlobs } from './memory-blobs.js'

export interface MemoryBackendOptions {
  /** Microseconds since 1970. @default the system's clock */
  readonly clock?: Clock | undefined
  /** Receives events about facts that results don't show, e.g. records that are left out of lists. @default none */
  readonly onEvent?: EventListener | undefined
}

const OPTIONS: OptionNames<MemoryBackendOptions> = { clock: true, onEvent: true }

/**
 * Stores artifacts and aspects in the memory of this process, for tests: the engine over blobs in an in-memory file system. Each
 * call creates a separate, empty store. It uses no disk, and is freed with its last reference.
 */
export function memoryBackend(o: MemoryBackendOptions = {}): Backend {
  const { clock, onEvent } = checkOptions(o, OPTIONS, 'memoryBackend')
  return blobBackend(memoryBlobs(), { name: 'memory', remembersUploads: false, clock, onEvent })
}
