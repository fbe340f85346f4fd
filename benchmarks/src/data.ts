import { randomFillSync } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { MiB } from './benchmark.js'

/** A file of random bytes: nothing on the way can shrink it. */
export async function randomFile(path: string, size: number): Promise<void> {
  const chunk = new Uint8Array(8 * MiB)
  await writing(path, async (file) => {
    for (let at = 0; at < size; at += chunk.byteLength) {
      randomFillSync(chunk)
      await file.write(chunk, 0, Math.min(chunk.byteLength, size - at), at)
    }
  })
}

/** A file that is large by its length, and takes no room on the disk. */
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
