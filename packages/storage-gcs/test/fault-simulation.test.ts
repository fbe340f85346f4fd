import { describeFaults, jumpingClock, randomOf } from '@ivcap/conformance'
import { faultProxy, randomPlan, type Seen } from '@ivcap/conformance/fault-proxy'
import { killedWriter } from '@ivcap/conformance/killed-writer'
import { describe } from 'vitest'
import { gcsBackend } from '../src/index.js'
import { clearPlace, freshPlace, gcsServer } from './support/gcs.js'
import { mended } from './support/mended.js'
import { PART, refusal } from './support/proxied.js'

const server = await gcsServer()
const WRITER = new URL('support/fault-simulation-writer.ts', import.meta.url)

const REFUSALS = [
  refusal(503, 'backendError'),
  refusal(429, 'rateLimitExceeded'),
  refusal(500, 'internalError'),
  refusal(408, 'requestTimeout'),
  refusal(403, 'forbidden'),
]
/** Bytes that come with a checksum. */
const isContent = ({ method, path }: Seen) => method === 'GET' && path.includes('alt=media')
/** Pieces of a whole whose checksum comes with the last. */
const isPiece = ({ method }: Seen) => method === 'PUT'

describe.runIf(server)('a bucket', () => {
  if (server === undefined) return
  let good: ReturnType<typeof mended> | undefined
  describeFaults('GCS', {
    rounds: 2,
    async open(seed) {
      good ??= mended(server.apiEndpoint)
      const random = randomOf(seed)
      const plan = { rate: 0.05, refusals: REFUSALS, verified: isContent, checked: isPiece }
      const proxy = await faultProxy((await good).url, randomPlan(random, plan))
      const place = { ...(await freshPlace(server)), partSize: PART }
      const faulty = gcsBackend({ ...place, apiEndpoint: proxy.url, clock: jumpingClock(random) })
      const healthy = gcsBackend(place)
      return {
        faulty,
        others: [killedWriter(WRITER, JSON.stringify({ ...place, apiEndpoint: proxy.url }))],
        partSize: PART,
        healthy: async () => {
          await proxy.settled()
          return healthy
        },
        close: async () => {
          proxy.close()
          await Promise.all([faulty.close(), healthy.close()])
          await clearPlace(place)
        },
      }
    },
  })
})
