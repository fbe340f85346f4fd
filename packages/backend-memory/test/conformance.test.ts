import { describeBackend } from '@ivcap/conformance'
import type { Backend } from '@ivcap/core/driver'
import { memoryBackend } from '../src/index.js'

let backend: Backend = memoryBackend()

describeBackend('memory', {
  open: async () => {
    backend = memoryBackend()
    return backend
  },
  // its content lives and dies with this process: no other one sees it
  reopen: async () => backend,
  close: async () => backend.close?.(),
  capabilities: { ids: 'uuid', digest: 'all', recordsUploads: true, partSize: 1024 * 1024 },
})
