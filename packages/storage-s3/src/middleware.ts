import type { GetObjectCommand } from '@aws-sdk/client-s3'
import type { RawBody } from '@ivcap/core/internal'
import type { Connections, RequestOptions } from '@ivcap/storage-common'

/** From this size on, in bytes, a body is not signed: hashing it takes half of the processor time of a part. */
export const LARGE_BODY = 1 << 20

/** Where middleware returns a response in place of the SDK's handler. The next middleware parses the output or error from it. */
export const ANSWERED = { step: 'deserialize', priority: 'low', name: 'ivcapResponse' } as const

/** The members that are used of an SDK's command with a body. */
interface Command {
  readonly middlewareStack: {
    add(
      middleware: <A extends { readonly request: unknown }, R>(next: (args: A) => R) => (args: A) => R,
      where: { readonly step: 'build'; readonly name: string },
    ): void
  }
}

/**
 * Returns the command. A large body is left out of its signature; it is then protected by TLS, AWS's own checksums, and the
 * digest that readers check.
 */
export function withUnsignedPayload<C extends Command>(command: C, body: Uint8Array): C {
  // not for small bodies: the SDK sorts its middleware again for a command that adds some
  if (body.byteLength < LARGE_BODY) return command
  const unsigned =
    <A extends { readonly request: unknown }, R>(next: (args: A) => R) =>
    (args: A) => {
      if (hasHeaders(args.request)) args.request.headers['x-amz-content-sha256'] = 'UNSIGNED-PAYLOAD'
      return next(args)
    }
  command.middlewareStack.add(unsigned, { step: 'build', name: 'ivcapUnsignedBody' })
  return command
}

function hasHeaders(request: unknown): request is { headers: Record<string, string> } {
  return typeof request === 'object' && request !== null && 'headers' in request
}

/** Makes `getLarge` send the command's signed request. If the response can't be read in that way, the SDK's handler sends it. */
export function withLargeRead(
  command: GetObjectCommand,
  connections: Connections,
  o: RequestOptions,
): GetObjectCommand {
  command.middlewareStack.add(
    (next) => async (args) => {
      const body = isHttpRequest(args.request) ? await getLarge(connections, args.request, o) : undefined
      if (body === undefined) return await next(args)
      return { response: { statusCode: body.statusCode, headers: body.headers, body } }
    },
    ANSWERED,
  )
  return command
}

async function getLarge(
  connections: Connections,
  { protocol, hostname, port, path, query, headers: { host, ...headers } }: HttpRequest,
  o: RequestOptions,
): Promise<RawBody | undefined> {
  const url = new URL(`${protocol}//${hostname}${port === undefined ? '' : `:${port}`}${path}`)
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value)
  // a request must be sent as it was signed
  if (url.host !== host || url.pathname !== path) return undefined
  return await connections.getLarge(url, headers, o)
}

/** The members that are used of an SDK's request. */
interface HttpRequest {
  readonly protocol: string
  readonly hostname: string
  readonly port?: number
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, string>>
}

/** A GET of an object has no query parameter with several values. */
function isHttpRequest(request: unknown): request is HttpRequest {
  if (typeof request !== 'object' || request === null || !('query' in request)) return false
  const { query } = request
  return (
    typeof query === 'object' && query !== null && Object.values(query).every((v) => typeof v === 'string')
  )
}
