import { allocate } from '#runtime'
import type { ByteSource, OpOptions } from '../ports/index.js'

/** The body of one upload request. */
export interface Piece {
  readonly bytes: Uint8Array
  /** Whether this is the last piece. */
  readonly last: boolean
  /** Allows the memory to be reused for another piece. The bytes must not be used afterwards. */
  release(): void
}

interface PiecesOptions extends OpOptions {
  /** Size in bytes of piece number `n`, from 0. */
  readonly sizeOf: (n: number) => number
}

/** Splits a source into pieces of the given sizes; the last one may be shorter. An empty source gives one empty piece. */
export async function* piecesOf(source: ByteSource, o: PiecesOptions): AsyncGenerator<Piece, void> {
  if (source.native?.kind === 'bytes') yield* slicesOf(source.native.bytes, o)
  else yield* filled(source, o)
}

/** Slices bytes in memory without copying them. */
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

/** Reads a stream in pieces of a requested length. */
class Content {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>
  #rest: Uint8Array = new Uint8Array()

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader()
  }

  /** Fills the memory as far as there is content. Returns the number of bytes. */
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
