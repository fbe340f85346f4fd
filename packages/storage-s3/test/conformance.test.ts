import { describeBackend } from '@ivcap/conformance'
import { bucketHarness } from '@ivcap/conformance/fault-proxy'
import { describe } from 'vitest'
import { s3Backend } from '../src/index.js'
import { clearPlace, freshPlace, s3Server } from './support/s3.js'

const partSize = 5 * 1024 * 1024
const server = await s3Server()

describe.runIf(server)('S3', () => {
  if (server === undefined) return
  describeBackend(
    'a bucket',
    bucketHarness({
      capabilities: { ids: 'uuid', digest: 'all', recordsUploads: true, partSize },
      freshPlace: () => freshPlace(server),
      open: (place) => s3Backend({ ...place, partSize }),
      clear: clearPlace,
    }),
  )
})
