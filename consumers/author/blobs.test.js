import { fileBlobs } from '@ivcap/backend-local'
import { describeBlobStore, inFolder } from '@ivcap/conformance'

describeBlobStore(
  'blobs in a folder',
  inFolder((dir) => fileBlobs({ dir }), { partSize: 1024 * 1024 }),
)
