/** Signing hashes the bytes first: worth it for records, half of the processor's time for parts. */
const WORTH_HASHING = 1 << 20

/** Where `unsigned` belongs among an SDK command's middleware. */
export const BEFORE_SIGNING = { step: 'build', name: 'ivcapUnsignedBody' } as const

/**
 * The request, its body left out of the signature where that is large. What guards it then is TLS, AWS's own checksums, and
 * the digest that readers check.
 */
export function unsigned<A extends { readonly request: unknown }>(args: A, body: Uint8Array): A {
  const { request } = args
  if (body.byteLength >= WORTH_HASHING && hasHeaders(request)) {
    request.headers['x-amz-content-sha256'] = 'UNSIGNED-PAYLOAD'
  }
  return args
}

function hasHeaders(request: unknown): request is { headers: Record<string, string> } {
  return typeof request === 'object' && request !== null && 'headers' in request
}
