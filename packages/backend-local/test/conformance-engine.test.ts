import { describeBackend, faultyBlobs, inFolder, retryingBlobs } from '@ivcap/conformance'
import { blobBackend } from '@ivcap/core/engine'
import { fileBlobs } from '../src/index.js'

const capabilities = { ids: 'uuid', digest: 'all', recordsUploads: true, partSize: 1024 * 1024 } as const

describeBackend(
  'the engine over blobs in a folder',
  inFolder((dir) => blobBackend(fileBlobs({ dir })), capabilities),
)

let seed = 0
describeBackend(
  'the engine over blobs in a folder, with faults',
  inFolder(
    (dir) => blobBackend(retryingBlobs(faultyBlobs(fileBlobs({ dir }), { seed: ++seed }))),
    capabilities,
  ),
)
