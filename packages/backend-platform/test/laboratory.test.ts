import { describeFaults, randomOf } from '@ivcap/conformance'
import { type Fault, faultProxy, type Plan } from '@ivcap/conformance/fault-proxy'
import { platformBackend } from '../src/index.js'
import { deployment, TOKEN } from './support/deployment.js'

describeFaults('platform', {
  rounds: 3,
  async open(seed) {
    const platform = await deployment()
    const { url } = platform
    const proxy = await faultProxy(url, planOf(randomOf(seed)))
    const options = { token: TOKEN, stateDir: false, retryDelay: 1, idleTimeout: 500 } as const
    const faulty = platformBackend({ ...options, url: proxy.url, retries: 3 })
    return {
      faulty,
      healthy: async () => platformBackend({ ...options, url }),
      close: () => platform.close(),
    }
  },
})

/** A fifth of the requests go wrong. */
function planOf(random: () => number): Plan {
  return ({ method }) => {
    if (random() > 0.2) return undefined
    const faults: readonly Fault[] = [
      { kind: 'lose-answer' },
      { kind: 'reset', after: Math.floor(random() * 50_000) },
      { kind: 'status', status: 503, headers: { 'Retry-After': '0' } },
      { kind: 'status', status: 502, body: '<html>Bad gateway</html>' },
      { kind: 'cut-answer', after: Math.floor(random() * 200), how: 'reset' },
    ]
    const fault = faults[Math.floor(random() * faults.length)]
    // a HEAD has no body to cut
    return method === 'HEAD' && fault?.kind === 'cut-answer' ? undefined : fault
  }
}
