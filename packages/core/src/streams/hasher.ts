import type { ByteSource } from '../ports/index.js'

/** Computes the digest of bytes that are passed to it in order. */
export interface Hasher {
  update(bytes: Uint8Array): void
  /** Lower-case hex. Must be called only once. */
  digest(): string
}

/** A hasher that uses a thread if threads are available. */
export interface AsyncHasher {
  /** If it returns a promise, the caller must await it before the next call, and before it changes the bytes. */
  update(bytes: Uint8Array): void | Promise<void>
  digest(): Promise<string>
  /** Must be called at the end, whether or not the digest was requested. */
  close(): void
}

/** Computes the digest of a whole source. Fails if the source fails. */
export async function hashAll(
  source: ByteSource,
  hasher: Hasher,
  signal: AbortSignal | undefined,
): Promise<string> {
  const reader = source.open({ retainChunks: 1, ...(signal && { signal }) }).getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return hasher.digest()
    hasher.update(value)
  }
}
