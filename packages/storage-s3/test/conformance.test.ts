import { describeBackend } from '@ivcap/conformance'
import { describe } from 'vitest'
import { s3Backend } from '../src/index.js'
import { inBucket } from './support/harness.js'
import { s3Server } from './support/s3.js'

const partSize = 5 * 1024 * 1024
const server = await s3Server()

describe.runIf(server)('S3', () => {
  if (server === undefined) return
  describeBackend(
    'a bucket',
    inBucket(server, (place) => s3Backend({ ...place, partSize }), {
      ids: 'uuid',
      digest: 'all',
      recordsUploads: true,
      partSize,
    }),
  )
})
