/** Signing hashes the bytes first: worth it for records, half of the processor's time for parts. */
const WORTH_HASHING = 1 << 20

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
 * The command, its body left out of the signature where that is large. What guards it then is TLS, AWS's own checksums, and
 * the digest that readers check.
 */
export function signingLittle<C extends Command>(command: C, body: Uint8Array): C {
  // an SDK puts its middleware in order anew for a command that has some of its own
  if (body.byteLength < WORTH_HASHING) return command
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
