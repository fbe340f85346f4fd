import { describeBlobStore } from '@ivcap/conformance'
import { describe } from 'vitest'
import { gcsBlobs } from '../src/index.js'
import { gcsServer } from './support/gcs.js'
import { inBucket } from './support/harness.js'

const partSize = 256 * 1024
const server = await gcsServer()

describe.runIf(server)('Google Cloud Storage', () => {
  if (server === undefined) return
  describeBlobStore(
    'blobs in a bucket',
    inBucket(server, (place) => gcsBlobs({ ...place, partSize }), { partSize }),
  )
})
