import { bytesOf, describeDownloads, type Fault, quickTransfer } from '@ivcap/conformance/fault-proxy'
import { contentSource, type IvcapError } from '@ivcap/core/driver'
import { describe, expect, it } from 'vitest'
import { MiB, proxied, refusal } from './support/proxied.js'
import { s3Server } from './support/s3.js'

const server = await s3Server()

describe.runIf(server)('downloads', { timeout: 60_000 }, () => {
  if (server === undefined) return

  describeDownloads('a bucket', {
    partSize: 5 * MiB,
    busy: refusal(503, 'SlowDown'),
    open: (plan, o) => proxied(server, plan, o),
  })

  it.each<[string, Fault, Partial<IvcapError>, string]>([
    ['slows down for ever', refusal(503, 'SlowDown'), { code: 'rate-limited', retryable: true }, 'slow down'],
    [
      'has the bucket in another region',
      refusal(400, 'AuthorizationHeaderMalformed', '<Region>eu-west-1</Region>'),
      { code: 'invalid-argument', argument: 'region' },
      'check region',
    ],
    [
      'has it at another address',
      refusal(301, 'PermanentRedirect'),
      { code: 'invalid-argument' },
      'check region',
    ],
    ['does not allow it', refusal(403, 'AccessDenied'), { code: 'permission-denied' }, 'policies'],
    [
      'says the credentials have expired',
      refusal(400, 'ExpiredToken'),
      { code: 'unauthenticated' },
      'new ones',
    ],
    [
      'is no S3',
      { kind: 'edit', edit: () => '<html>Welcome</html>' },
      { code: 'protocol' },
      'check the endpoint',
    ],
  ])('and lists from a server that %s', async (_, fault, error, words) => {
    const { blobs, direct } = await proxied(server, () => fault)
    await direct.put('key', contentSource('x'), quickTransfer)
    const message = expect.stringContaining(words)
    await expect(blobs.list({ prefix: '', limit: 10 }, {})).rejects.toMatchObject({ ...error, message })
    if (fault.kind === 'status')
      await expect(bytesOf(blobs, 'key')).rejects.toMatchObject({ ...error, message })
  })
})
