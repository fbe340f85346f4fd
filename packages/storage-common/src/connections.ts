import { Agent } from 'node:http'
import { Agent as SecureAgent } from 'node:https'
import { IvcapError } from '@ivcap/core/driver'
import { type RawBody, rawBody, withLargeReads } from '@ivcap/core/internal'
import type { RequestOptions } from './driver.js'

/** Milliseconds until a connection is made. */
export const CONNECT_TIMEOUT = 10_000
/** Milliseconds of silence on a connection after which it counts as broken. */
export const IDLE_TIMEOUT = 60_000

const POOL = { keepAlive: true, maxSockets: 50 } as const

export interface Connections {
  readonly http: Agent
  readonly https: SecureAgent
  /**
   * A GET whose body is large, on a connection of its own; undefined if the answer can't be read in that way, and has to be
   * requested as usual. See docs/decisions/22-large-reads.md.
   */
  getLarge(
    url: URL,
    headers: Readonly<Record<string, string>>,
    o: RequestOptions,
  ): Promise<RawBody | undefined>
  /** Closes them, and fails the downloads in progress. */
  close(): void
}

/** Connections of one store, which are kept between requests. */
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
