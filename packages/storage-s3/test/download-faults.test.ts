import type { Fault } from '@ivcap/conformance/fault-proxy'
import { contentSource, type IvcapError } from '@ivcap/core/driver'
import { describe, expect, it } from 'vitest'
import { bytesOf, expectBytes, someBytes, transfer } from './support/content.js'
import { MiB, proxied, refusal, until } from './support/proxied.js'
import { s3Server } from './support/s3.js'

const server = await s3Server()

/** Four parts. */
const LARGE = someBytes(18 * MiB)

describe.runIf(server)('downloads', { timeout: 60_000 }, () => {
  if (server === undefined) return

  const faults: readonly [string, Fault][] = [
    ['breaks off at once', { kind: 'cut-answer', after: 0, how: 'reset' }],
    ['breaks off within a piece', { kind: 'cut-answer', after: 100_001, how: 'reset' }],
    ['breaks off late', { kind: 'cut-answer', after: 3 * MiB + 1, how: 'reset' }],
    ['ends early', { kind: 'cut-answer', after: MiB, how: 'end' }],
    ['loses its answer', { kind: 'lose-answer' }],
    ['comes in small pieces', { kind: 'dribble', bytes: 3_001 }],
    ['is told to slow down', refusal(503, 'SlowDown')],
  ]
  // known failure: short-without-length, hang
  it.each(faults)('is whole although any one of its requests %s', async (_, fault) => {
    let faulty = -1
    let count = 0
    const { blobs, direct, proxy } = await proxied(server, () => (count++ === faulty ? fault : undefined))
    await direct.put('key', contentSource(LARGE), transfer)
    for (faulty = 0; faulty < 4; faulty++) {
      count = 0
      await expectBytes(blobs, 'key', LARGE)
    }
    await until(() => proxy.open === 0)
  })

  // known failure: no-download-resume
  it('goes on where it broke off, with what is missing alone', async () => {
    let broken = false
    const { blobs, direct, proxy } = await proxied(server, ({ headers }) => {
      if (broken || headers.range !== `bytes=${5 * MiB}-${10 * MiB - 1}`) return undefined
      broken = true
      return { kind: 'cut-answer', after: 2 * MiB, how: 'reset' }
    })
    await direct.put('key', contentSource(LARGE), transfer)
    await expectBytes(blobs, 'key', LARGE)
    const starts = proxy.seen.map(({ headers }) => Number(/=(\d+)-/.exec(headers.range ?? '')?.[1]) / MiB)
    const again = starts.find((at) => at > 5 && at <= 7)
    expect(again).toBeDefined()
    expect(starts).toHaveLength(5)
  })

  it('of a blob that is written over meanwhile: the old bytes, then an error', async () => {
    const { blobs, direct, proxy } = await proxied(server, undefined, { concurrency: 1 })
    await direct.put('key', contentSource(LARGE), transfer)
    const reader = (await blobs.get('key', {})).body.getReader()
    await reader.read()
    await direct.put('key', contentSource(someBytes(18 * MiB, 2)), { ...transfer, mode: 'overwrite' })
    const rest = (async () => {
      while (!(await reader.read()).done);
    })()
    await expect(rest).rejects.toMatchObject({ code: 'precondition-failed', retryable: false })
    await until(() => proxy.open === 0)
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
    await direct.put('key', contentSource('x'), transfer)
    const message = expect.stringContaining(words)
    await expect(blobs.list({ prefix: '', limit: 10 }, {})).rejects.toMatchObject({ ...error, message })
    if (fault.kind === 'status')
      await expect(bytesOf(blobs, 'key')).rejects.toMatchObject({ ...error, message })
  })
})
