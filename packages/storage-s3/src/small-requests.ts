import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import type { S3Client } from '@aws-sdk/client-s3'
import { IvcapError } from '@ivcap/core/driver'
import type { RequestOptions } from '@ivcap/storage-common'

export interface SmallRequest {
  readonly method: 'GET' | 'PUT'
  readonly key: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Uint8Array
}

export interface SmallResponse {
  readonly statusCode: number
  /** Names are in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Readable
}

type Signer = Awaited<ReturnType<S3Client['config']['signer']>>
type AuthScheme = NonNullable<Parameters<S3Client['config']['signer']>[0]>

/** Where requests for the bucket are sent, and how they are signed. */
interface Address {
  readonly url: URL
  readonly signer: Signer
  readonly scope: { readonly signingRegion: string; readonly signingService: string }
}

const NO_BODY_SHA256 = createHash('sha256').digest('hex')

/**
 * Sends requests without the SDK's middleware, which takes 3 ms or more of processor time for each. They are sent to the address
 * that the SDK has found, signed by its signer with its credentials and its clock, over its connections. The SDK's command must
 * parse a response that reports an error, see `ANSWERED`.
 */
export class SmallRequests {
  readonly #client: S3Client
  #address: Promise<Address | undefined> | undefined

  /** @param client all its requests must go to the same bucket */
  constructor(client: S3Client) {
    this.#client = client
    client.middlewareStack.add(
      (next, context) => (args) => {
        const { url, properties } = context.endpointV2 ?? {}
        // without a signer, the SDK's own command reports the reason
        if (url !== undefined)
          this.#address ??= this.#addressOf(url, properties?.authSchemes?.[0]).catch(() => {
            this.#address = undefined
            return undefined
          })
        return next(args)
      },
      { step: 'build', name: 'ivcapAddress' },
    )
  }

  /** Returns undefined if the SDK must send the request. It always sends the first one, which finds the address. */
  async send(
    { method, key, headers, body }: SmallRequest,
    { signal }: RequestOptions,
  ): Promise<SmallResponse | undefined> {
    const address = await this.#address
    if (address === undefined) return undefined
    const { url, signer, scope } = address
    const { config } = this.#client
    const request = {
      method,
      protocol: url.protocol,
      hostname: url.hostname,
      ...(url.port !== '' && { port: Number(url.port) }),
      path: `${url.pathname.replace(/\/$/, '')}/${key.split('/').map(encoded).join('/')}`,
      query: {},
      headers: {
        ...headers,
        host: url.host,
        'user-agent': 'ivcap-storage-s3',
        // the server compares this with what it receives
        'x-amz-content-sha256':
          body === undefined ? NO_BODY_SHA256 : createHash('sha256').update(body).digest('hex'),
        ...(body !== undefined && { 'content-length': String(body.byteLength) }),
      },
      ...(body !== undefined && { body }),
    }
    const signingDate = new Date(Date.now() + config.systemClockOffset)
    const signed = await signer.sign(request, { ...scope, signingDate })
    const { response } = await config.requestHandler.handle(signed, signal && { abortSignal: signal })
    if (response.body instanceof Readable) return response
    throw new IvcapError('unsupported', 'the S3 client must give bodies as Node streams')
  }

  async #addressOf(url: URL, scheme: AuthScheme | undefined): Promise<Address | undefined> {
    // other schemes need a session, or are for several regions
    if (scheme?.name !== 'sigv4') return undefined
    const { signingRegion, signingName: signingService } = scheme
    return { url, signer: await this.#client.config.signer(scheme), scope: { signingRegion, signingService } }
  }
}

/** Encodes a segment of a key as the SDK does. The signature covers the path as it is sent. */
const encoded = (segment: string): string =>
  encodeURIComponent(segment).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  )
