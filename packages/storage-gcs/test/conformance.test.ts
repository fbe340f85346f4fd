import { describeBackend } from '@ivcap/conformance'
import { bucketHarness } from '@ivcap/conformance/fault-proxy'
import { describe } from 'vitest'
import { gcsBackend } from '../src/index.js'
import { freshPlace, gcsServer } from './support/gcs.js'

const partSize = 256 * 1024
const server = await gcsServer()

// it looks through all blobs for every request
describe.runIf(server)('Google Cloud Storage', { timeout: 60_000 }, () => {
  if (server === undefined) return
  describeBackend(
    'a bucket',
    bucketHarness({
      capabilities: { ids: 'uuid', digest: 'all', recordsUploads: true, partSize },
      freshPlace: () => freshPlace(server),
      open: (place) => gcsBackend({ ...place, partSize }),
    }),
  )
})
