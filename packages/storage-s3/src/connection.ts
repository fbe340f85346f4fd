import { Agent, type ClientRequest } from 'node:http'
import { Agent as SecureAgent } from 'node:https'
import type { Duplex } from 'node:stream'
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3'
import { IvcapError } from '@ivcap/core/driver'
import { withLargeReads } from '@ivcap/core/internal'
import { invalid, type S3Options } from './options.js'

export interface Connection {
  readonly client: S3Client
  /** Whether AWS's own servers answer: they keep a condition on CompleteMultipartUpload, and take checksums. */
  readonly aws: boolean
  /** For messages: an URL, or `AWS`. */
  readonly server: string
  /** Whether the client is the caller's: it may repeat requests, unseen, and send them by ways of its own. */
  readonly given: boolean
  /** Ends when the connection is closed. */
  readonly closing: AbortSignal
  close(): void
}

const CONNECT_MS = 10_000
/** Silence on a connection after which it counts as broken. */
export const IDLE_MS = 60_000
const KEPT = { keepAlive: true, maxSockets: 50 } as const

export function connectionOf(o: S3Options): Connection {
  if (o.client !== undefined) return given(o.client, o.endpoint)
  const endpoint = checked(o.endpoint ?? fromEnvironment())
  const aws = isAws(endpoint)
  const client = new S3Client({
    ...(o.endpoint !== undefined && { endpoint: o.endpoint }),
    ...regionOf(o, aws),
    ...(o.credentials !== undefined && { credentials: o.credentials }),
    forcePathStyle: o.forcePathStyle ?? !aws,
    // what is repeated, and what an answer that got lost means, is decided here
    maxAttempts: 1,
    // would take a new connection for each part
    expectContinueHeader: false,
    // other servers refuse or ignore the trailers that AWS's take
    ...(!aws && { requestChecksumCalculation: 'WHEN_REQUIRED', responseChecksumValidation: 'WHEN_REQUIRED' }),
    requestHandler: {
      connectionTimeout: CONNECT_MS,
      socketTimeout: IDLE_MS,
      httpAgent: withoutUpgrades(withLargeReads(new Agent(KEPT))),
      httpsAgent: withoutUpgrades(withLargeReads(new SecureAgent(KEPT))),
    },
  })
  // nobody gave a logger, and what it would be told takes a tenth of the processor's time of a small get
  client.middlewareStack.remove('loggerMiddleware')
  const closing = new AbortController()
  const close = () => {
    closing.abort(closed())
    client.destroy()
  }
  return { client, aws, server: endpoint ?? 'AWS', given: false, closing: closing.signal, close }
}

const SWITCHED =
  'the server answered with 101 (Switching Protocols), which was not asked for: check the endpoint'

/**
 * The agent, whose requests fail when the server answers with 101 (Switching Protocols). Node closes such a connection without
 * an error, and the SDK would wait for one for ever.
 */
function withoutUpgrades<A extends Agent>(agent: A): A {
  const add: unknown = Reflect.get(agent, 'addRequest')
  // not documented, but what every agent of another kind replaces
  if (typeof add !== 'function') return agent
  const addRequest = (request: ClientRequest, ...rest: readonly unknown[]) => {
    request.once('upgrade', (_: unknown, socket: Duplex) => {
      socket.destroy()
      request.emit('error', new IvcapError('protocol', SWITCHED))
    })
    Reflect.apply(add, agent, [request, ...rest])
  }
  return Object.assign(agent, { addRequest })
}

/** What a download is told that is under way then. */
const closed = (): IvcapError => new IvcapError('unavailable', 'the store was closed', { retryable: false })

/** A client with an endpoint of its own may talk to anything: only what is said to be AWS's is trusted to behave like it. */
function given(client: S3Client, endpoint: string | undefined): Connection {
  const custom = client.config.endpoint !== undefined || fromEnvironment() !== undefined
  const aws = endpoint === undefined ? !custom : isAws(endpoint)
  const server = endpoint ?? (custom ? "the client's endpoint" : 'AWS')
  return { client, aws, server, given: true, closing: new AbortController().signal, close: () => {} }
}

/** As the SDK reads it. One in a shared configuration file is not seen here: it has to be given as `endpoint`. */
function fromEnvironment(): string | undefined {
  const { env } = process
  if (env['AWS_IGNORE_CONFIGURED_ENDPOINT_URLS'] === 'true') return undefined
  return env['AWS_ENDPOINT_URL_S3'] || env['AWS_ENDPOINT_URL'] || undefined
}

function regionOf({ region }: S3Options, aws: boolean): Pick<S3ClientConfig, 'region'> {
  if (region !== undefined) return { region }
  if (aws || process.env['AWS_REGION']) return {}
  // others don't care, but the signature needs one
  return { region: 'us-east-1' }
}

function isAws(endpoint: string | undefined): boolean {
  if (endpoint === undefined) return true
  return /(^|\.)amazonaws\.com(\.cn)?$/.test(new URL(endpoint).hostname)
}

function checked(endpoint: string | undefined): string | undefined {
  if (endpoint === undefined) return undefined
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw invalid(
      'endpoint',
      `endpoint must be a URL such as https://s3.example.com, not ${JSON.stringify(endpoint)}`,
    )
  }
  // the message must not repeat them
  if (url.username || url.password) {
    throw invalid(
      'endpoint',
      `endpoint (host ${url.host}) has a user name or password in it: use credentials instead`,
    )
  }
  return endpoint
}
