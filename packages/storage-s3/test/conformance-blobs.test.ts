import { describeBlobStore } from '@ivcap/conformance'
import { describe } from 'vitest'
import { s3Blobs } from '../src/index.js'
import { inBucket } from './support/harness.js'
import { s3Server } from './support/s3.js'

const partSize = 5 * 1024 * 1024
const server = await s3Server()

describe.runIf(server)('S3', () => {
  if (server === undefined) return
  describeBlobStore(
    'blobs in a bucket',
    inBucket(server, (place) => s3Blobs({ ...place, partSize }), { partSize }),
  )
})
