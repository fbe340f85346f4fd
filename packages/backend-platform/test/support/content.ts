import { type ArtifactDraft, contentSource, type TransferOptions } from '@ivcap/core/driver'

/** Retries come at once: no test waits longer than it must. */
export const transfer = { retries: 6, retryDelay: 1 } satisfies TransferOptions
export const draft: ArtifactDraft = { name: 'reef.bin', mimeType: 'application/octet-stream' }

/** Numbers in [0, 1), the same ones for the same seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

export function someBytes(size: number, seed = 1): Uint8Array<ArrayBuffer> {
  const random = randomOf(seed)
  return Uint8Array.from({ length: size }, () => random() * 256)
}

/** A one-shot stream of unknown size, in pieces. */
export function streamOf(bytes: Uint8Array, piece = 1500) {
  return contentSource(
    (function* () {
      for (let at = 0; at < bytes.byteLength; at += piece) yield bytes.subarray(at, at + piece)
    })(),
  )
}

export async function collect(body: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  const reader = body.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return new Uint8Array(Buffer.concat(chunks))
    chunks.push(value)
  }
}
