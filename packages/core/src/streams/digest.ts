import { asyncHasher } from '#runtime'
import type { ByteSource } from '../ports/index.js'
import type { AsyncHasher } from './hasher.js'
import { pullStream } from './pull-stream.js'

/**
 * Wraps `source` to compute an MD5 for the upload sidecar while it is read. The digest is known after a stream that was opened at
 * offset 0 was read to its end; it is undefined if the source was not read as a stream. The caller must call `close()` at the end.
 */
export function withMd5(source: ByteSource): {
  readonly source: ByteSource
  md5(): Promise<string | undefined>
  close(): void
} {
  let hasher: AsyncHasher | undefined
  const { source: hashed, digest } = withHash(source, () => {
    hasher?.close()
    hasher = asyncHasher('md5', source.size)
    return hasher
  })
  return { source: hashed, md5: async () => digest(), close: () => hasher?.close() }
}

/** A `Hasher` or an `AsyncHasher`. */
interface Hashing<D> {
  update(bytes: Uint8Array): void | Promise<void>
  digest(): D
}

/**
 * Wraps `source` to hash it while it is read. A later stream that continues where an earlier one stopped (a resumed upload, the
 * next part) adds to the same digest; a stream that is opened at offset 0 starts a new one.
 */
export function withHash<D>(source: ByteSource, createHasher: () => Hashing<D>) {
  let run: Run<D> | undefined
  const hashed: ByteSource = {
    ...source,
    open(o) {
      const offset = o?.offset ?? 0
      if (offset === 0) run = new Run(createHasher(), source.size)
      const stream = source.open(o)
      return run === undefined ? stream : tap(stream, run, offset, o?.end === undefined)
    },
  }
  const digest = () => {
    if (run !== undefined) return run.digest
    if (source.native?.kind !== 'bytes') return undefined
    const hasher = createHasher()
    void hasher.update(source.native.bytes)
    return hasher.digest()
  }
  return { source: hashed, digest }
}

/** One pass over the content. It may consist of several streams, each of which continues where the last one stopped. */
class Run<D> {
  digest: D | undefined
  readonly #hasher: Hashing<D>
  readonly #size: number | undefined
  #hashed = 0

  constructor(hasher: Hashing<D>, size: number | undefined) {
    this.#hasher = hasher
    this.#size = size
    if (size === 0) this.ended(0)
  }

  async take(position: number, chunk: Uint8Array): Promise<void> {
    const known = this.#hashed - position
    if (known < 0 || known >= chunk.byteLength) return
    this.#hashed = position + chunk.byteLength
    await this.#hasher.update(known === 0 ? chunk : chunk.subarray(known))
    if (this.#hashed === this.#size) this.ended(this.#hashed)
  }

  ended(position: number): void {
    if (position === this.#hashed) this.digest ??= this.#hasher.digest()
  }
}

function tap<D>(
  stream: ReadableStream<Uint8Array>,
  run: Run<D>,
  offset: number,
  toTheEnd: boolean,
): ReadableStream<Uint8Array> {
  const reader = stream.getReader()
  let position = offset
  return pullStream({
    async next() {
      const { done, value } = await reader.read()
      if (done) {
        if (toTheEnd) run.ended(position)
        return { done }
      }
      await run.take(position, value)
      position += value.byteLength
      return { chunk: value, done }
    },
    stop: (reason) => reader.cancel(reason),
  })
}
