import { Storage } from '@google-cloud/storage'
import { type GcsOptions, invalid } from './options.js'
import { tokenFor } from './token.js'
import { type Answer, type HttpRequest, type Sending, transport } from './transport.js'

export interface Connection {
  /** URL of the server, without a slash at its end. */
  readonly server: string
  /** Sends it with credentials, where the place takes any. */
  send(request: HttpRequest, o: Sending): Promise<Answer>
  close(): void
}

/**
 * The library's client knows the endpoint and gets tokens; the requests themselves go by connections of our own: see
 * docs/decisions/18-gcs-requests.md.
 */
export function connectionOf(o: GcsOptions): Connection {
  const client = o.client ?? clientOf(o)
  const anonymous = client.customEndpoint && client.useAuthWithCustomEndpoint !== true
  const { exchange, close } = transport()
  return {
    server: client.apiEndpoint,
    send: async (request, options) => {
      if (anonymous) return exchange(request, options)
      const token = await tokenFor(client, request.url, options)
      return exchange({ ...request, headers: { ...request.headers, ...token } }, options)
    },
    close,
  }
}

function clientOf({ apiEndpoint, projectId, credentials, keyFilename }: GcsOptions): Storage {
  const endpoint = checked(apiEndpoint)
  const given = credentials !== undefined || keyFilename !== undefined
  return new Storage({
    ...(endpoint !== undefined && { apiEndpoint: endpoint }),
    ...(projectId !== undefined && { projectId }),
    ...(credentials !== undefined && { credentials }),
    ...(keyFilename !== undefined && { keyFilename }),
    useAuthWithCustomEndpoint: given || isGoogles(endpoint),
    // requests for tokens, too, are repeated within the budget of the call alone
    clientOptions: { transporterOptions: { retryConfig: { retry: 0 } } },
  })
}

const isGoogles = (endpoint: string | undefined): boolean =>
  endpoint !== undefined && /(^|\.)googleapis\.com$/.test(new URL(endpoint).hostname)

function checked(endpoint: string | undefined): string | undefined {
  if (endpoint === undefined) return undefined
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    const example = 'https://storage.googleapis.com'
    throw invalid(
      'apiEndpoint',
      `apiEndpoint must be a URL such as ${example}, not ${JSON.stringify(endpoint)}`,
    )
  }
  // the message must not repeat them
  if (url.username || url.password) {
    throw invalid(
      'apiEndpoint',
      `apiEndpoint (host ${url.host}) has a user name or password in it: use credentials instead`,
    )
  }
  return endpoint
}
