import type { ByteSource, TransferOptions } from '@ivcap/core/driver'
import { contentSource } from '@ivcap/core/driver'

export const transfer: TransferOptions = { retries: 0, retryDelay: 1 }

export const text = (content: string): ByteSource => contentSource(content)

export async function read(body: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  return new Uint8Array(await new Response(body).arrayBuffer())
}

export const readText = async (body: ReadableStream<Uint8Array>): Promise<string> =>
  new TextDecoder().decode(await read(body))

/** `size` bytes that differ from place to place, in chunks of `chunk`. */
export function noise(size: number): Uint8Array {
  const bytes = new Uint8Array(size)
  for (let i = 0, x = 1; i < size; i++) {
    x = (Math.imul(x, 1103515245) + 12345) & 0x7fffffff
    bytes[i] = x >>> 16
  }
  return bytes
}

export function streamOf(bytes: Uint8Array, chunk: number, size?: number): ByteSource {
  async function* chunks() {
    for (let at = 0; at < bytes.byteLength; at += chunk) yield bytes.subarray(at, at + chunk)
  }
  return contentSource(chunks(), size === undefined ? {} : { size })
}
