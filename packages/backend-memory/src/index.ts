import { type Backend, checkOptions, type EventListener } from '@ivcap/core/driver'
import { blobArtifactStore } from '@ivcap/core/engine'
import { type Clock, type OptionNames, systemClock } from '@ivcap/core/internal'
import { memoryAspects } from './memory-aspects.js'
import { memoryBlobs } from './memory-blobs.js'

export interface MemoryBackendOptions {
  /** Microseconds since 1970. @default the system's clock */
  readonly clock?: Clock | undefined
  /** Receives events about facts that results don't show, e.g. records that are left out of lists. @default none */
  readonly onEvent?: EventListener | undefined
}

const OPTIONS: OptionNames<MemoryBackendOptions> = { clock: true, onEvent: true }

/**
 * Stores artifacts and aspects in the memory of this process, for tests: contents in an in-memory file system, aspects in maps. Each
 * call creates a separate, empty store. It uses no disk, and is freed with its last reference.
 */
export function memoryBackend(o: MemoryBackendOptions = {}): Backend {
  const { clock = systemClock, onEvent } = checkOptions(o, OPTIONS, 'memoryBackend')
  const aspects = memoryAspects({ clock })
  const artifacts = blobArtifactStore(memoryBlobs(), {
    name: 'memory',
    remembersUploads: false,
    clock,
    onEvent,
    aspects,
  })
  // no other process can damage what is in here
  const nothing = async () => []
  return { artifacts, aspects, verify: nothing, repair: nothing }
}
