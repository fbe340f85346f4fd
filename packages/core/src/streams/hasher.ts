import type { ByteSource } from '../ports/index.js'

/** Takes bytes as they come and tells their digest at the end. */
export interface Hasher {
  update(bytes: Uint8Array): void
  /** Lower-case hex. Once. */
  digest(): string
}

/** A hasher that runs in a thread of its own where there are threads. */
export interface AsyncHasher {
  /** If it returns a promise, the caller must await it before the next call, and before it changes the bytes. */
  update(bytes: Uint8Array): void | Promise<void>
  digest(): Promise<string>
  /** Must be called at the end, whether or not the digest was requested. */
  close(): void
}

/** The digest of a whole source. Fails if the source does. */
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
