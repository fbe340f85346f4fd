import { describeBlobStore } from '../src/index.js'
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
