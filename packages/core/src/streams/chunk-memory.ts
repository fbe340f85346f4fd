import { allocate } from '#runtime'
import type { ChunkMemory } from '../ports/index.js'

/** Creates a memory pool for the chunks of one read at a time. */
export function chunkMemory(): ChunkMemory {
  const lent = new WeakSet<ArrayBufferLike>()
  const spare: ArrayBuffer[] = []
  return {
    take(size) {
      const used = spare.pop()
      const memory =
        used !== undefined && used.byteLength >= size ? new Uint8Array(used, 0, size) : allocate(size)
      lent.add(memory.buffer)
      return memory
    },
    release({ buffer }) {
      if (buffer instanceof ArrayBuffer && lent.delete(buffer)) spare.push(buffer)
    },
  }
}
