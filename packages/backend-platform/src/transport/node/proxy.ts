import { Buffer } from 'node:buffer'
import * as http from 'node:http'
import * as https from 'node:https'
import { isIPv6 } from 'node:net'
import type { Duplex } from 'node:stream'
import { IvcapError } from '@ivcap/core/driver'
import { getProxyForUrl } from 'proxy-from-env'
import { ProxyError } from '../types.js'

/**
 * Returns the proxy that the environment sets for this URL: `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY`, except for hosts in
 * `NO_PROXY`, in lower or upper case. Servers on this machine are always reached directly.
 *
 * @throws IvcapError `invalid-argument` if the environment names something else than an http or https proxy
 */
export function environmentProxy(url: URL): URL | undefined {
  if (isLoopback(url.hostname)) return undefined
  const text = getProxyForUrl(url.href)
  if (text === '') return undefined
  const proxy = URL.canParse(text) ? new URL(text) : undefined
  if (proxy?.protocol === 'http:' || proxy?.protocol === 'https:') return proxy
  // the text may contain a password: the message must not repeat it
  const message =
    `the environment names a proxy for ${url.origin} that is no http or https URL: ` +
    'correct HTTP_PROXY or HTTPS_PROXY, add the host to NO_PROXY, or set proxy: false'
  throw new IvcapError('invalid-argument', message, { argument: 'proxy' })
}

const isLoopback = (hostname: string): boolean => /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)

/** The address to connect to, without the user name and password of the URL: node:http would send them as `Authorization`. */
export const proxyAddress = ({ protocol, hostname, port }: URL) => ({
  protocol,
  hostname: hostname.replace(/^\[(.*)\]$/, '$1'),
  ...(port !== '' && { port }),
})

/** The credentials in the proxy's URL. They are sent only to the proxy. */
export function proxyHeaders({ username, password }: URL): Readonly<Record<string, string>> {
  if (username === '' && password === '') return {}
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { 'Proxy-Authorization': `Basic ${Buffer.from(credentials).toString('base64')}` }
}

/** Options of a request by a `tunnelAgent`. */
export interface TunnelRequestOptions extends https.RequestOptions {
  /** Aborts the attempt to connect. node:http passes every option of a request to an agent except its `signal`. */
  readonly connectSignal?: AbortSignal
}

/** Connections to https servers through a proxy (CONNECT). The proxy sees only host and port, not what is sent. */
export function tunnelAgent(proxy: URL, options: https.AgentOptions): https.Agent {
  const agent = new https.Agent(options)
  const secure = agent.createConnection.bind(agent)
  const createConnection = (
    target: TunnelRequestOptions,
    done: (error: Error | null, socket?: Duplex) => void,
  ): void => {
    connectThrough(proxy, target).then(
      (socket) => done(null, secure({ ...target, ...{ socket } })),
      (error: Error) => done(error),
    )
  }
  return Object.assign(agent, { createConnection })
}

/** @throws ProxyError */
function connectThrough(proxy: URL, { host, port, connectSignal }: TunnelRequestOptions): Promise<Duplex> {
  const authority = `${isIPv6(host ?? '') ? `[${host}]` : host}:${port}`
  const { request } = proxy.protocol === 'https:' ? https : http
  return new Promise((resolve, reject) => {
    const connect = request({
      ...proxyAddress(proxy),
      method: 'CONNECT',
      path: authority,
      headers: { Host: authority, ...proxyHeaders(proxy) },
      agent: false,
    })
    const onAbort = () => void connect.destroy(new Error('the request was aborted'))
    const refuse = (status: number | undefined) => {
      reject(new ProxyError(proxy.host, { status }))
      connect.destroy()
    }
    connect.on('connect', ({ statusCode }, socket) => {
      connectSignal?.removeEventListener('abort', onAbort)
      if (statusCode === 200) resolve(socket)
      else refuse(statusCode)
    })
    connect.on('response', ({ statusCode }) => refuse(statusCode))
    connect.on('error', (cause) => reject(new ProxyError(proxy.host, { cause })))
    connect.on('close', () => {
      connectSignal?.removeEventListener('abort', onAbort)
      reject(new ProxyError(proxy.host, { cause: new Error('it closed the connection') }))
    })
    connectSignal?.addEventListener('abort', onAbort)
    if (connectSignal?.aborted) onAbort()
    connect.end()
  })
}
