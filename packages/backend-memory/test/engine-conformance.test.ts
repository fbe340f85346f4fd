import { describeBackend } from '@ivcap/conformance'
import type { Backend } from '@ivcap/core/driver'
import { blobBackend } from '@ivcap/core/engine'
import { memoryBlobs } from '../src/memory-blobs.js'

let blobs = memoryBlobs()
let backend: Backend = blobBackend(blobs)
const opened = () => {
  backend = blobBackend(blobs, { name: 'memory', remembersUploads: false })
  return backend
}

// the fastest store that the engine has, without faults
describeBackend('the engine over memory', {
  open: async () => {
    blobs = memoryBlobs()
    return opened()
  },
  reopen: async () => opened(),
  close: async () => backend.close?.(),
  capabilities: { ids: 'uuid', digest: 'all', recordsUploads: true, partSize: 1024 * 1024 },
})
