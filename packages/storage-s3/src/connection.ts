import type { Agent, ClientRequest } from 'node:http'
import type { Duplex } from 'node:stream'
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3'
import {
  CONNECT_TIMEOUT,
  type Connections,
  checkEndpoint,
  IDLE_TIMEOUT,
  openConnections,
  switchedProtocols,
} from '@ivcap/storage-common'
import type { S3Options } from './options.js'
import { SmallRequests } from './small-requests.js'

export interface S3Connection {
  readonly client: S3Client
  /** True for AWS's own servers: they enforce a condition on CompleteMultipartUpload, and accept checksums. */
  readonly aws: boolean
  /** For messages: a URL, or `AWS`. */
  readonly server: string
  /** Absent if the caller provided the client: it may repeat requests, and sends them in its own way. */
  readonly connections?: Connections
  /** Absent if `connections` is, for the same reason. */
  readonly small?: SmallRequests
  close(): void
}

export function connect(o: S3Options): S3Connection {
  if (o.client !== undefined) return given(o.client, o.endpoint)
  const endpoint = checkEndpoint('endpoint', o.endpoint ?? fromEnvironment(), 'https://s3.example.com')
  const aws = isAws(endpoint)
  const connections = openConnections()
  const client = new S3Client({
    ...(o.endpoint !== undefined && { endpoint: o.endpoint }),
    ...regionOf(o, aws),
    ...(o.credentials !== undefined && { credentials: o.credentials }),
    forcePathStyle: o.forcePathStyle ?? !aws,
    // the store repeats requests and resolves lost responses
    maxAttempts: 1,
    // it would take a new connection for each part
    expectContinueHeader: false,
    // other servers refuse or ignore AWS's trailers
    ...(!aws && { requestChecksumCalculation: 'WHEN_REQUIRED', responseChecksumValidation: 'WHEN_REQUIRED' }),
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT,
      socketTimeout: IDLE_TIMEOUT,
      httpAgent: withoutUpgrades(connections.http),
      httpsAgent: withoutUpgrades(connections.https),
    },
  })
  // there is no logger, and preparing its messages takes a tenth of the processor time of a small get
  client.middlewareStack.remove('loggerMiddleware')
  const close = () => {
    connections.close()
    client.destroy()
  }
  const small = new SmallRequests(client)
  return { client, aws, server: endpoint ?? 'AWS', connections, small, close }
}

/**
 * Changes the agent so that requests fail if the server responds with 101 (Switching Protocols). Node closes such a connection
 * without an error, and the SDK would wait for ever.
 */
function withoutUpgrades<A extends Agent>(agent: A): A {
  const add: unknown = Reflect.get(agent, 'addRequest')
  // not documented, but custom agents replace this method
  if (typeof add !== 'function') return agent
  const addRequest = (request: ClientRequest, ...rest: readonly unknown[]) => {
    request.once('upgrade', (_: unknown, socket: Duplex) => {
      socket.destroy()
      request.emit('error', switchedProtocols('endpoint'))
    })
    Reflect.apply(add, agent, [request, ...rest])
  }
  return Object.assign(agent, { addRequest })
}

/** A client with its own endpoint may use any server. Only an explicit AWS `endpoint` is trusted to behave like AWS. */
function given(client: S3Client, endpoint: string | undefined): S3Connection {
  const custom = client.config.endpoint !== undefined || fromEnvironment() !== undefined
  const aws = endpoint === undefined ? !custom : isAws(endpoint)
  const server = endpoint ?? (custom ? "the client's endpoint" : 'AWS')
  return { client, aws, server, close: () => {} }
}

/** Reads the endpoint as the SDK does, except from a shared configuration file: that one must be passed as `endpoint`. */
function fromEnvironment(): string | undefined {
  const { env } = process
  if (env['AWS_IGNORE_CONFIGURED_ENDPOINT_URLS'] === 'true') return undefined
  return env['AWS_ENDPOINT_URL_S3'] || env['AWS_ENDPOINT_URL'] || undefined
}

function regionOf({ region }: S3Options, aws: boolean): Pick<S3ClientConfig, 'region'> {
  if (region !== undefined) return { region }
  if (aws || process.env['AWS_REGION']) return {}
  // other servers ignore the region, but the signature needs one
  return { region: 'us-east-1' }
}

function isAws(endpoint: string | undefined): boolean {
  if (endpoint === undefined) return true
  return /(^|\.)amazonaws\.com(\.cn)?$/.test(new URL(endpoint).hostname)
}
