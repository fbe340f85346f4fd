import { describeBlobStore } from '@ivcap/conformance'
import { bucketHarness } from '@ivcap/conformance/fault-proxy'
import { describe } from 'vitest'
import { s3Blobs } from '../src/index.js'
import { clearPlace, freshPlace, s3Server } from './support/s3.js'

const partSize = 5 * 1024 * 1024
const server = await s3Server()

describe.runIf(server)('S3', () => {
  if (server === undefined) return
  describeBlobStore(
    'blobs in a bucket',
    bucketHarness({
      capabilities: { partSize },
      freshPlace: () => freshPlace(server),
      open: (place) => s3Blobs({ ...place, partSize }),
      clear: clearPlace,
    }),
  )
})
