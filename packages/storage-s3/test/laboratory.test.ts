import { describeFaults, randomOf } from '@ivcap/conformance'
import type { Fault } from '@ivcap/conformance/fault-proxy'
import { blobBackend } from '@ivcap/core/engine'
import { describe } from 'vitest'
import { proxied, refusal } from './support/proxied.js'
import { s3Server } from './support/s3.js'

const server = await s3Server()

describe.runIf(server)('a bucket', () => {
  if (server === undefined) return
  describeFaults('S3', {
    rounds: 1,
    async open(seed) {
      const random = randomOf(seed)
      const { blobs, direct } = await proxied(server, () => {
        const faults: readonly Fault[] = [
          { kind: 'lose-answer' },
          { kind: 'reset', after: Math.floor(random() * 50_000) },
          refusal(503, 'SlowDown'),
          refusal(500, 'InternalError'),
        ]
        return random() < 0.05 ? faults[Math.floor(random() * faults.length)] : undefined
      })
      return { faulty: blobBackend(blobs), healthy: async () => blobBackend(direct) }
    },
  })
})
