import { describeBlobStore } from '@ivcap/conformance'
import { bucketHarness } from '@ivcap/conformance/fault-proxy'
import { describe } from 'vitest'
import { gcsBlobs } from '../src/index.js'
import { freshPlace, gcsServer } from './support/gcs.js'

const partSize = 256 * 1024
const server = await gcsServer()

describe.runIf(server)('Google Cloud Storage', () => {
  if (server === undefined) return
  describeBlobStore(
    'blobs in a bucket',
    bucketHarness({
      capabilities: { partSize },
      freshPlace: () => freshPlace(server),
      open: (place) => gcsBlobs({ ...place, partSize }),
    }),
  )
})
