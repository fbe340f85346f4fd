import { localBackend } from '@ivcap/backend-local'
import { describeBackend, inFolder } from '@ivcap/conformance'
import type { Backend } from '@ivcap/core/driver'
import { memoryBackend } from '../src/index.js'

const memories = new Map<string, Backend>()

/** Artifacts in memory, aspects in a folder. */
function mix(baseDir: string): Backend {
  const memory = memories.get(baseDir) ?? memoryBackend()
  memories.set(baseDir, memory)
  return { ...localBackend({ baseDir }), artifacts: memory.artifacts }
}

describeBackend(
  'artifacts in memory, aspects in a folder',
  inFolder(mix, { ids: 'uuid', digest: 'all', recordsUploads: false, partSize: 1024 * 1024 }),
)
