import { describeFaults, jumpingClock, randomOf } from '@ivcap/conformance'
import { faultProxy, randomPlan, type Seen } from '@ivcap/conformance/fault-proxy'
import { killedWriter } from '@ivcap/conformance/killed-writer'
import { startPlatform } from '@ivcap/platform-server'
import { beforeAll, vi } from 'vitest'
import { platformBackend } from '../src/index.js'
import { TOKEN, temporary } from './support/deployment.js'

const WRITER = new URL('support/fault-simulation-writer.ts', import.meta.url)

const REFUSALS = [
  { kind: 'status', status: 503, headers: { 'Retry-After': '0' } },
  { kind: 'status', status: 429, headers: { 'Retry-After': '0' } },
  { kind: 'status', status: 502, body: '<html>Bad gateway</html>' },
  { kind: 'status', status: 408 },
  { kind: 'status', status: 403, body: '{"message":"not now"}' },
] as const
/** Some servers filter after they have cut pages, and send pages without items. */
const emptyPage = ({ method, path }: Seen, token: string): string | undefined =>
  method === 'GET' && /^\/1\/(artifacts|aspects)\?/.test(path)
    ? JSON.stringify({ items: [], links: [{ rel: 'next', href: `?page=${token}` }] })
    : undefined
/** An aspect is looked for, and sent again if it is not there: the API has no key by which the server would know it again. */
const unrepeatable = ({ method, path }: Seen): boolean => method === 'POST' && path.startsWith('/1/aspects')
const SILENCE = [{ kind: 'cut-answer', after: 10, how: 'stall' }] as const
/** Milliseconds of silence after which a body counts as broken off. */
const IDLE = 500

// the server's clock and the clients' in this process; those that are killed have right ones
beforeAll(() => {
  const clock = jumpingClock(randomOf(1))
  const spy = vi.spyOn(Date, 'now').mockImplementation(() => Math.floor(clock() / 1000))
  return () => spy.mockRestore()
})

describeFaults('platform', {
  rounds: 3,
  async open(seed) {
    const folder = await temporary()
    const { url, close } = await startPlatform({
      dir: folder.path,
      auth: { token: TOKEN },
      shutdownTimeout: 100,
    })
    const plan = { rate: 0.2, refusals: REFUSALS, others: SILENCE, emptyPage, unrepeatable } as const
    const proxy = await faultProxy(url, randomPlan(randomOf(seed), plan))
    const options = { token: TOKEN, stateDir: false, retryDelay: 1, idleTimeout: IDLE } as const
    return {
      faulty: platformBackend({ ...options, url: proxy.url, retries: 3 }),
      others: [killedWriter(WRITER, proxy.url, TOKEN)],
      partSize: 150_000,
      healthy: async () => {
        await proxy.settled()
        return platformBackend({ ...options, idleTimeout: 10_000, url })
      },
      close: async () => {
        proxy.close()
        await close()
        await folder.remove()
      },
    }
  },
})
