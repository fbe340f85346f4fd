import type { ByteSource } from '../ports/index.js'

/** Takes bytes as they come and tells their digest at the end. */
export interface Hasher {
  update(bytes: Uint8Array): void
  /** Lower-case hex. Once. */
  digest(): string
}

/** A hasher that works beside its caller, where the place has threads. */
export interface AsyncHasher {
  /** Wait for it where it has too much to do already. The bytes are the caller's again at once. */
  update(bytes: Uint8Array): void | Promise<void>
  digest(): Promise<string>
  /** To be called at the end, whether the digest was asked for or not. */
  close(): void
}

/** The digest of a whole source. Fails if the source does. */
export async function hashAll(
  source: ByteSource,
  hasher: Hasher,
  signal: AbortSignal | undefined,
): Promise<string> {
  const reader = source.open({ keep: 1, ...(signal && { signal }) }).getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return hasher.digest()
    hasher.update(value)
  }
}
