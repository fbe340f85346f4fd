import type { GetObjectCommand } from '@aws-sdk/client-s3'
import type { RawBody } from '@ivcap/core/internal'
import type { Connections, RequestOptions } from '@ivcap/storage-common'

/** Bytes from which a body is left out of the signature: hashing it takes half of the processor time of a part. */
export const LARGE_BODY = 1 << 20

/** Where middleware has a response instead of the SDK's handler: the next one makes the command's output, or its error, of it. */
export const ANSWERED = { step: 'deserialize', priority: 'low', name: 'ivcapResponse' } as const

/** What is used of an SDK's command that sends a body. */
interface Command {
  readonly middlewareStack: {
    add(
      middleware: <A extends { readonly request: unknown }, R>(next: (args: A) => R) => (args: A) => R,
      where: { readonly step: 'build'; readonly name: string },
    ): void
  }
}

/**
 * The command, its body left out of the signature if it is large. TLS, AWS's own checksums, and the digest that readers check
 * guard it then.
 */
export function withUnsignedPayload<C extends Command>(command: C, body: Uint8Array): C {
  // the SDK sorts its middleware again for a command that has some of its own
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

/** The command, its signed request sent by `getLarge`; if the answer can't be read in that way, by the SDK's handler. */
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

/** The members of an SDK's request that matter here. */
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
