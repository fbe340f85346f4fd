import { blobBackend } from '@ivcap/core/engine'
import { describeBackend, describeBlobStore } from '../src/index.js'
import { mapBlobs } from './map-blobs.js'

const partSize = 1024 * 1024
let blobs = new Map()

describeBlobStore('a Map', {
  open: async () => {
    blobs = new Map()
    return mapBlobs(blobs)
  },
  reopen: async () => mapBlobs(blobs),
  close: async () => {},
  capabilities: { partSize },
})

describeBackend('the engine over a Map', {
  open: async () => {
    blobs = new Map()
    return blobBackend(mapBlobs(blobs))
  },
  reopen: async () => blobBackend(mapBlobs(blobs)),
  close: async () => {},
  capabilities: { ids: 'uuid', digest: 'all', recordsUploads: true, partSize },
})
