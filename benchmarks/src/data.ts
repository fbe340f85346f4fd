import { randomFillSync } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { MiB } from './benchmark.js'

/** Writes a file of random bytes, so that nothing can compress it in transit. */
export async function randomFile(path: string, size: number): Promise<void> {
  const chunk = new Uint8Array(8 * MiB)
  await writing(path, async (file) => {
    for (let at = 0; at < size; at += chunk.byteLength) {
      randomFillSync(chunk)
      await file.write(chunk, 0, Math.min(chunk.byteLength, size - at), at)
    }
  })
}

/** Creates a sparse file, which has a large length but takes no space on the disk. */
export async function sparseFile(path: string, size: number): Promise<void> {
  await writing(path, (file) => file.truncate(size))
}

async function writing(path: string, write: (file: FileHandle) => Promise<unknown>): Promise<void> {
  const file = await open(path, 'w')
  try {
    await write(file)
  } finally {
    await file.close()
  }
}
