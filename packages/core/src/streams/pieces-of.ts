import { allocate } from '#runtime'
import type { ByteSource, OpOptions } from '../ports/index.js'

/** What goes up in one request. */
export interface Piece {
  readonly bytes: Uint8Array
  /** Nothing comes after it. */
  readonly last: boolean
  /** The bytes are needed no longer: their memory is for another piece. */
  release(): void
}

interface PiecesOptions extends OpOptions {
  /** Bytes of the piece with that number, from 0. */
  readonly sizeOf: (n: number) => number
}

/** A source as pieces of the wanted sizes, the last of which may be shorter; one empty piece of an empty source. */
export async function* piecesOf(source: ByteSource, o: PiecesOptions): AsyncGenerator<Piece, void> {
  if (source.native?.kind === 'bytes') yield* slicesOf(source.native.bytes, o)
  else yield* filled(source, o)
}

/** What lies in memory already is not copied. */
function* slicesOf(bytes: Uint8Array, { sizeOf }: PiecesOptions): Generator<Piece, void> {
  let start = 0
  for (let n = 0; ; n++) {
    const end = start + sizeOf(n)
    const last = end >= bytes.byteLength
    yield { bytes: bytes.subarray(start, end), last, release: () => {} }
    if (last) return
    start = end
  }
}

async function* filled(source: ByteSource, { sizeOf, signal }: PiecesOptions): AsyncGenerator<Piece, void> {
  const content = new Content(source.open({ retainChunks: 1, ...(signal && { signal }) }))
  const free: Uint8Array[] = []
  let left = source.size ?? Number.POSITIVE_INFINITY
  try {
    for (let n = 0; ; n++) {
      const size = Math.min(sizeOf(n), left)
      const reused = free.pop()
      const memory = reused !== undefined && reused.byteLength >= size ? reused : allocate(size)
      const count = await content.fill(memory.subarray(0, size))
      const last = await content.ended()
      yield { bytes: memory.subarray(0, count), last, release: () => void free.push(memory) }
      if (last) return
      left -= count
    }
  } finally {
    await content.close()
  }
}

/** A stream that is taken by the length. */
class Content {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>
  #rest: Uint8Array = new Uint8Array()

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader()
  }

  /** Fills the memory, or as much of it as there is content; the number of bytes. */
  async fill(memory: Uint8Array): Promise<number> {
    let at = 0
    while (at < memory.byteLength && !(await this.ended())) {
      const part = this.#rest.subarray(0, memory.byteLength - at)
      memory.set(part, at)
      at += part.byteLength
      this.#rest = this.#rest.subarray(part.byteLength)
    }
    return at
  }

  async ended(): Promise<boolean> {
    while (this.#rest.byteLength === 0) {
      const { done, value } = await this.#reader.read()
      if (done) return true
      this.#rest = value
    }
    return false
  }

  async close(): Promise<void> {
    await this.#reader.cancel().catch(() => {})
  }
}
