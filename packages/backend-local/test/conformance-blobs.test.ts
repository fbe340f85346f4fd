import { describeBlobStore, inFolder } from '@ivcap/conformance'
import { fileBlobs } from '../src/index.js'

describeBlobStore(
  'blobs in a folder',
  inFolder((dir) => fileBlobs({ dir }), { partSize: 1024 * 1024 }),
)
