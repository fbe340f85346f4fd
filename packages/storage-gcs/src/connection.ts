import { Storage } from '@google-cloud/storage'
import { abortable, type OpOptions } from '@ivcap/core/driver'
import { checkEndpoint, type RequestOptions } from '@ivcap/storage-common'
import type { GcsOptions } from './options.js'
import { type HttpRequest, type HttpResponse, openTransport } from './transport.js'

export interface GcsConnection {
  /** URL of the server, without a trailing slash. */
  readonly server: string
  /** Sends a request, with credentials if the server takes any. */
  send(request: HttpRequest, o: RequestOptions): Promise<HttpResponse>
  close(): void
}

/**
 * The library's client provides the endpoint and the tokens. The requests themselves use our own connections: see
 * docs/decisions/18-gcs-requests.md.
 */
export function connect(o: GcsOptions): GcsConnection {
  const client = o.client ?? clientOf(o)
  const anonymous = client.customEndpoint && client.useAuthWithCustomEndpoint !== true
  const { send, close } = openTransport()
  return {
    server: client.apiEndpoint,
    send: async (request, options) => {
      if (anonymous) return send(request, options)
      const token = await tokenFor(client, request.url, options)
      return send({ ...request, headers: { ...request.headers, ...token } }, options)
    },
    close,
  }
}

function clientOf({ apiEndpoint, projectId, credentials, keyFilename }: GcsOptions): Storage {
  const endpoint = checkEndpoint('apiEndpoint', apiEndpoint, 'https://storage.googleapis.com')
  const hasCredentials = credentials !== undefined || keyFilename !== undefined
  return new Storage({
    ...(endpoint !== undefined && { apiEndpoint: endpoint }),
    ...(projectId !== undefined && { projectId }),
    ...(credentials !== undefined && { credentials }),
    ...(keyFilename !== undefined && { keyFilename }),
    useAuthWithCustomEndpoint: hasCredentials || isGoogle(endpoint),
    // requests for tokens, too, must be retried only within the budget of the call
    clientOptions: { transporterOptions: { retryConfig: { retry: 0 } } },
  })
}

const isGoogle = (endpoint: string | undefined): boolean =>
  endpoint !== undefined && /(^|\.)googleapis\.com$/.test(new URL(endpoint).hostname)

/** No token could be obtained. */
export class NoTokenError extends Error {
  constructor(cause: unknown) {
    super('no token', { cause })
  }
}

/** The library ignores signals, so an abort ends the wait for a token. */
const tokenFor = (client: Storage, url: URL, o: OpOptions): Promise<Record<string, string>> =>
  abortable(tokenHeaders(client, url), o.signal)

async function tokenHeaders({ authClient }: Storage, url: URL): Promise<Record<string, string>> {
  try {
    return { ...(await authClient.getRequestHeaders(url.href)) }
  } catch (error) {
    throw new NoTokenError(error)
  }
}
