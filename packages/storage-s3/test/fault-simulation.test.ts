import { describeFaults, jumpingClock, randomOf } from '@ivcap/conformance'
import { faultProxy, randomPlan, type Seen } from '@ivcap/conformance/fault-proxy'
import { killedWriter } from '@ivcap/conformance/killed-writer'
import { describe } from 'vitest'
import { s3Backend } from '../src/index.js'
import { MiB, refusal } from './support/proxied.js'
import { clearPlace, freshPlace, s3Server } from './support/s3.js'

const server = await s3Server()
const WRITER = new URL('support/fault-simulation-writer.ts', import.meta.url)

const REFUSALS = [
  refusal(503, 'SlowDown'),
  refusal(500, 'InternalError'),
  refusal(400, 'RequestTimeout'),
  refusal(409, 'ConditionalRequestConflict'),
  refusal(403, 'AccessDenied'),
]
/** What a digest is recorded of. */
const isContent = ({ method, path }: Seen) => method === 'GET' && path.includes('/artifacts/')
/** Large bodies are no part of what is signed. */
const isSigned = ({ headers }: Seen) => /^[0-9a-f]{64}$/.test(String(headers['x-amz-content-sha256']))

describe.runIf(server)('a bucket', () => {
  if (server === undefined) return
  describeFaults('S3', {
    rounds: 2,
    async open(seed) {
      const random = randomOf(seed)
      const plan = { rate: 0.05, refusals: REFUSALS, verified: isContent, checked: isSigned }
      const proxy = await faultProxy(server.endpoint, randomPlan(random, plan))
      const place = freshPlace(server)
      const faulty = s3Backend({ ...place, endpoint: proxy.url, clock: jumpingClock(random) })
      const healthy = s3Backend(place)
      return {
        faulty,
        others: [killedWriter(WRITER, JSON.stringify({ ...place, endpoint: proxy.url }))],
        partSize: 5 * MiB,
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
