import { Readable } from 'node:stream'
import type { Content } from '../../src/streams/source.js'
import { chunked, concat } from './bytes.js'

/** Contents that can be read again, by name. */
export const replayable: readonly (readonly [string, (bytes: Uint8Array<ArrayBuffer>) => Content])[] = [
  ['Uint8Array', (bytes) => bytes],
  [
    'a view in a larger buffer',
    (bytes) => concat([new Uint8Array(3), bytes, new Uint8Array(5)]).subarray(3, 3 + bytes.length),
  ],
  ['ArrayBuffer', (bytes) => bytes.slice().buffer],
  ['Blob', (bytes) => new Blob([bytes])],
  ['File', (bytes) => new File([bytes], 'data.bin')],
]
/** Contents that can be read once, by name. */
export const oneShot: readonly (readonly [string, (bytes: Uint8Array<ArrayBuffer>) => Content])[] = [
  ['web stream', (bytes) => webStream(chunked(bytes, step(bytes)))],
  ['Node stream', (bytes) => Readable.from(chunked(bytes, step(bytes)))],
  ['Node stream of an empty chunk', (bytes) => Readable.from([new Uint8Array(0), bytes])],
  ['async generator', (bytes) => generate(chunked(bytes, step(bytes)))],
  ['array of chunks', (bytes) => chunked(bytes, step(bytes))],
]

/** Small pieces of little, so that there are some; larger ones of much. */
function step(bytes: Uint8Array): number {
  return Math.max(7, bytes.byteLength >> 4)
}

export function webStream(chunks: readonly Uint8Array[]): ReadableStream<Uint8Array> {
  const rest = [...chunks]
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      const next = rest.shift()
      if (next === undefined) controller.close()
      else controller.enqueue(next)
    },
  })
}

export async function* generate<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items
}
