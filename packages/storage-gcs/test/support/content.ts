import { type BlobStore, contentSource } from '@ivcap/core/driver'
import { expect } from 'vitest'

/** Retries come at once: no test waits longer than it must. */
export const transfer = { retries: 4, retryDelay: 1, mode: 'create' } as const

/** Bytes that are the same for the same seed, and no two parts of which are. */
export function someBytes(size: number, seed = 1): Uint8Array {
  const words = new Uint32Array(Math.ceil(size / 4))
  let x = Math.imul(seed, 0x9e3779b1) | 1
  for (let i = 0; i < words.length; i++) {
    x = Math.imul(x, 1664525) + 1013904223
    words[i] = x
  }
  return new Uint8Array(words.buffer, 0, size)
}

/** A stream that can be read once, and whose length nobody knows. */
export const streamOf = (bytes: Uint8Array, chunk = 64 * 1024) =>
  contentSource(
    (function* () {
      for (let at = 0; at < bytes.byteLength; at += chunk) yield bytes.subarray(at, at + chunk)
    })(),
  )

export async function bytesOf(blobs: BlobStore, key: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of (await blobs.get(key, {})).body) chunks.push(chunk)
  return Buffer.concat(chunks)
}

export async function expectBytes(blobs: BlobStore, key: string, expected: Uint8Array): Promise<void> {
  expect(Buffer.compare(await bytesOf(blobs, key), expected), `the bytes of ${key}`).toBe(0)
}

export async function keysOf(blobs: BlobStore): Promise<readonly string[]> {
  return (await blobs.list({ prefix: '', limit: 1000 }, {})).items.map(({ key }) => key)
}
