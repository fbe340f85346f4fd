import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Ivcap } from '@ivcap/core'
import type { Place } from './benchmark.js'

export const FILES = 200
/** Bytes per file. */
export const SMALL = 64 * 1024
export const AT_ONCE = 8

const folder = ({ dir }: Place) => join(dir, 'files')

export async function makeFiles(place: Place, count = FILES, size = SMALL): Promise<void> {
  await mkdir(folder(place))
  for (const path of pathsOf(place, count)) await writeFile(path, randomBytes(size))
}

export const pathsOf = (place: Place, count = FILES): readonly string[] =>
  Array.from({ length: count }, (_, i) => join(folder(place), `${i}.bin`))

/** Runs `work` on all items, `atOnce` at a time. */
export async function forEach<T>(
  items: readonly T[],
  atOnce: number,
  work: (item: T, i: number) => Promise<unknown>,
): Promise<void> {
  const waiting = items.entries()
  const worker = async () => {
    for (const [i, item] of waiting) await work(item, i)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
}

/** Uploads all files, each with its own name. Fails if one upload fails. */
export async function uploadAll(
  ivcap: Ivcap,
  paths: readonly string[],
  concurrency: number,
  forceUpload = true,
): Promise<readonly string[]> {
  const uploads = paths.map((filePath, i) => ({ filePath, name: `${i}.bin`, forceUpload }))
  const outcomes = await ivcap.uploadArtifacts(uploads, { concurrency })
  return outcomes.map(({ artifact, error }) => {
    if (error !== undefined) throw error
    return artifact.id
  })
}
