import { describeBackend } from '@ivcap/conformance'
import { describe } from 'vitest'
import { gcsBackend } from '../src/index.js'
import { gcsServer } from './support/gcs.js'
import { inBucket } from './support/harness.js'

const partSize = 256 * 1024
const server = await gcsServer()

// it looks through all blobs for every request
describe.runIf(server)('Google Cloud Storage', { timeout: 60_000 }, () => {
  if (server === undefined) return
  describeBackend(
    'a bucket',
    inBucket(server, (place) => gcsBackend({ ...place, partSize }), {
      ids: 'uuid',
      digest: 'all',
      recordsUploads: true,
      partSize,
    }),
  )
})
