import type { GetObjectCommand } from '@aws-sdk/client-s3'
import { type RawBody, rawBody } from '@ivcap/core/internal'
import { IDLE_MS } from './connection.js'
import type { Place, Reading } from './place.js'

/**
 * The command, its signed request sent on a connection of its own that reads in large pieces: see
 * docs/decisions/22-large-reads.md. Where the answer can't be read in that way, the SDK's handler asks again.
 *
 * @param o Its signal ends the reading of the body, too
 */
export function bySocket(place: Place, command: GetObjectCommand, o: Reading): GetObjectCommand {
  command.middlewareStack.add(
    (next) => async (args) => {
      const body = isHttpRequest(args.request) ? await answerTo(place, args.request, o) : undefined
      if (body === undefined) return await next(args)
      return { response: { statusCode: body.statusCode, headers: body.headers, body } }
    },
    // behind the one that makes the command's output of it
    { step: 'deserialize', priority: 'low', name: 'ivcapRawBody' },
  )
  return command
}

async function answerTo(
  { closing }: Place,
  request: HttpRequest,
  { signal, memory }: Reading,
): Promise<RawBody | undefined> {
  const { host, ...headers } = request.headers
  const url = urlOf(request)
  // a request is sent as it was signed, or not at all
  if (rawBody === undefined || url.host !== host || url.pathname !== request.path) return undefined
  return await rawBody({
    url,
    headers,
    memory,
    idle: IDLE_MS,
    signal: signal === undefined ? closing : AbortSignal.any([signal, closing]),
  })
}

function urlOf({ protocol, hostname, port, path, query }: HttpRequest): URL {
  const url = new URL(`${protocol}//${hostname}${port === undefined ? '' : `:${port}`}${path}`)
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value)
  return url
}

/** An SDK's request, as far as it matters here. */
interface HttpRequest {
  readonly protocol: string
  readonly hostname: string
  readonly port?: number
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, string>>
}

function isHttpRequest(request: unknown): request is HttpRequest {
  if (typeof request !== 'object' || request === null || !('query' in request)) return false
  const { query } = request
  // what a GET of an object never has would be left out
  return (
    typeof query === 'object' && query !== null && Object.values(query).every((v) => typeof v === 'string')
  )
}
