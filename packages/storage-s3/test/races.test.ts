import { describeRaces } from '@ivcap/conformance'
import { describe } from 'vitest'
import { s3Backend, s3Blobs } from '../src/index.js'
import { clearPlace, freshPlace, s3Server } from './support/s3.js'

const server = await s3Server()

describe.runIf(server)('S3', () => {
  if (server === undefined) return
  const place = freshPlace(server)
  const opened: (() => void | Promise<void>)[] = []
  describeRaces('a bucket', {
    async open() {
      const blobs = s3Blobs(place)
      const backend = s3Backend(place)
      opened.push(blobs.close, backend.close)
      return { blobs, backend }
    },
    async close() {
      for (const close of opened) await close()
      await clearPlace(place)
    },
  })
})
