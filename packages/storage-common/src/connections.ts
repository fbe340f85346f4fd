import { Agent } from 'node:http'
import { Agent as SecureAgent } from 'node:https'
import { IvcapError } from '@ivcap/core/driver'
import { type RawBody, rawBody, withLargeReads } from '@ivcap/core/internal'
import type { RequestOptions } from './driver.js'

/** Time limit for connecting, in ms. */
export const CONNECT_TIMEOUT = 10_000
/** A connection without data for this time counts as broken, in ms. */
export const IDLE_TIMEOUT = 60_000

const POOL = { keepAlive: true, maxSockets: 50 } as const

export interface Connections {
  readonly http: Agent
  readonly https: SecureAgent
  /**
   * Sends a GET whose body is large on a separate connection. Returns undefined if the response can't be read in that way: the
   * caller must then send the request as usual. See docs/decisions/22-large-reads.md.
   */
  getLarge(
    url: URL,
    headers: Readonly<Record<string, string>>,
    o: RequestOptions,
  ): Promise<RawBody | undefined>
  /** Closes all connections, and fails the downloads in progress. */
  close(): void
}

/** Connections of one store. They are kept open between requests. */
export function openConnections(): Connections {
  const http = withLargeReads(new Agent(POOL))
  const https = withLargeReads(new SecureAgent(POOL))
  const closing = new AbortController()
  return {
    http,
    https,
    getLarge: async (url, headers, { signal, memory }) =>
      await rawBody?.({
        url,
        headers,
        memory,
        idle: IDLE_TIMEOUT,
        signal: signal === undefined ? closing.signal : AbortSignal.any([signal, closing.signal]),
      }),
    close: () => {
      closing.abort(new IvcapError('unavailable', 'the store was closed', { retryable: false }))
      http.destroy()
      https.destroy()
    },
  }
}

/** @param argument the option to check */
export const switchedProtocols = (argument: string): IvcapError =>
  new IvcapError(
    'protocol',
    `the server answered with 101 (Switching Protocols), which was not asked for: check ${argument}`,
  )
