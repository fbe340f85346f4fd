import { describeRaces } from '@ivcap/conformance'
import { describe } from 'vitest'
import { gcsBackend, gcsBlobs } from '../src/index.js'
import { freshPlace, gcsServer } from './support/gcs.js'

const server = await gcsServer()

describe.runIf(server)('GCS', async () => {
  if (server === undefined) return
  const place = await freshPlace(server)
  const opened: (() => void | Promise<void>)[] = []
  describeRaces('a bucket', {
    async open() {
      const blobs = gcsBlobs(place)
      const backend = gcsBackend(place)
      opened.push(blobs.close, backend.close)
      return { blobs, backend }
    },
    async close() {
      for (const close of opened) await close()
    },
  })
})
