import { describeBlobStore } from '@ivcap/conformance'
import type { BlobStore } from '@ivcap/core/driver'
import { memoryBlobs } from '../src/memory-blobs.js'

let blobs: BlobStore = memoryBlobs()

describeBlobStore('blobs in memory', {
  open: async () => {
    blobs = memoryBlobs()
    return blobs
  },
  reopen: async () => blobs,
  close: async () => {},
  capabilities: { partSize: 1024 * 1024 },
})
