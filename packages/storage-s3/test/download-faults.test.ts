import type { Fault } from '@ivcap/conformance/fault-proxy'
import { contentSource, type IvcapError } from '@ivcap/core/driver'
import { describe, expect, it } from 'vitest'
import { bytesOf, expectBytes, someBytes, transfer } from './support/content.js'
import { MiB, proxied, refusal, until } from './support/proxied.js'
import { s3Server } from './support/s3.js'

const server = await s3Server()

/** Four parts. */
const LARGE = someBytes(18 * MiB)
/** So slow that the rest comes in parts. */
const SLOW: Fault = { kind: 'dribble', bytes: 601 }

function rangeOf(header = ''): { readonly start: number; readonly end: number } {
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(header) ?? []
  return { start: Number(first), end: Math.min(Number(last) + 1, LARGE.byteLength) }
}

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
  describe.each([
    ['by a connection that may be fast', undefined],
    ['by one that is slow, and so in parts', SLOW],
  ])('%s', (_, pace) => {
    // known failure: short-without-length, hang
    it.each(faults)('is whole although any one of its requests %s', async (_, fault) => {
      let faulty = -1
      let count = 1
      const plan = () => {
        const n = count++
        if (n === faulty) return fault
        return n === 0 ? pace : undefined
      }
      const { blobs, direct, proxy } = await proxied(server, plan)
      await direct.put('key', contentSource(LARGE), transfer)
      for (faulty = 0; faulty < count; faulty++) {
        count = 0
        await expectBytes(blobs, 'key', LARGE)
      }
      expect(faulty).toBeGreaterThanOrEqual(pace ? 4 : 2)
      await until(() => proxy.open === 0)
    })
  })

  // known failure: no-download-resume
  it.each([
    ['where it goes by one connection', undefined],
    ['where it goes in parts', SLOW],
  ])('goes on where it broke off, with what is missing alone, %s', async (_, pace) => {
    const broken: Fault = { kind: 'cut-answer', after: 2 * MiB, how: 'reset' }
    const { blobs, direct, proxy } = await proxied(server, (_, n) => [pace, broken][n])
    await direct.put('key', contentSource(LARGE), transfer)
    await expectBytes(blobs, 'key', LARGE)
    const asked = proxy.seen.map(({ headers }) => rangeOf(headers.range))
    const second = asked[1] ?? expect.unreachable()
    const again = asked.slice(2).find(({ start, end }) => start > second.start && end === second.end)
    if (again === undefined) return expect.unreachable('nothing was asked for again')
    expect(again.start).toBeLessThanOrEqual(second.start + 2 * MiB)
    const bytes = asked.reduce((sum, { start, end }) => sum + end - start, 0)
    expect(bytes).toBe(LARGE.byteLength + again.end - again.start)
  })

  it('one after the other go by the same connection', async () => {
    const { blobs, direct, proxy } = await proxied(server)
    await direct.put('key', contentSource('content'), transfer)
    for (let n = 0; n < 5; n++) await expectBytes(blobs, 'key', Buffer.from('content'))
    expect(proxy.connections).toBe(1)
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
