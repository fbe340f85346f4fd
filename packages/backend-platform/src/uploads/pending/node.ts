/** `#pending-uploads` in Node: one small file in the state folder for each upload of a file. */
import { createHash, randomUUID } from 'node:crypto'
import type { BigIntStats } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import type { ByteSource } from '@ivcap/core/driver'
import { defaultStateDir } from '@ivcap/core/internal'
import * as v from 'valibot'
import {
  type PendingUpload,
  PendingUploadJson,
  type PendingUploads,
  parseEntry,
  type UploadLease,
} from './types.js'

/** Milliseconds. Deployments remove unfinished uploads much earlier. */
const MAX_AGE = 30 * 24 * 3600_000

const Entry = v.object({
  ...PendingUploadJson.entries,
  /** Identity of the file, as `fileIdentity` returns it. */
  file: v.string(),
  /** The process that uploads it, if it still runs. */
  host: v.string(),
  pid: v.number(),
})

/** The entries that this process has reserved. */
const reserved = new Set<string>()

/** @param stateDir the folder for the records (default: the user's cache folder); false: no records are kept */
export function openPendingUploads(stateDir: string | false | undefined): PendingUploads {
  const state = stateDir === false ? undefined : (stateDir ?? defaultStateDir())
  if (state === undefined) return { acquire: async () => undefined }
  const folder = join(resolve(state), 'uploads')
  let isClean = false
  return {
    async acquire(source, subject) {
      const file = await sourceIdentity(source)
      if (file === undefined || source.native?.kind !== 'file') return undefined
      if (!isClean) void removeStaleFiles(folder)
      isClean = true
      const path = join(folder, `${sha256(JSON.stringify([subject, source.native.path]))}.json`)
      if (reserved.has(path)) return undefined
      reserved.add(path)
      const entry = parseEntry(Entry, await readFile(path, 'utf8').catch(() => null))
      if (entry !== undefined && isRunning(entry)) {
        reserved.delete(path)
        return undefined
      }
      return lease(path, file, entry?.file === file ? entry : undefined)
    },
  }

  function lease(path: string, file: string, earlier: PendingUpload | undefined): UploadLease {
    return {
      ...(earlier && { earlier: { id: earlier.id, dataHref: earlier.dataHref } }),
      async save(upload) {
        const entry: v.InferOutput<typeof Entry> = { ...upload, file, host: hostname(), pid: process.pid }
        const temporary = join(folder, `${randomUUID()}.part`)
        try {
          await mkdir(folder, { recursive: true, mode: 0o700 })
          await writeFile(temporary, JSON.stringify(entry), { mode: 0o600, flag: 'wx' })
          await rename(temporary, path)
        } catch {
          await rm(temporary, { force: true }).catch(() => {})
        }
      },
      clear: () => rm(path, { force: true }).catch(() => {}),
      release: () => void reserved.delete(path),
    }
  }
}

/**
 * Returns the identity of the file as the source reads it. Returns undefined if the file's stat can't distinguish two contents:
 * two writes within one tick of the file system's clock leave the same stat. A tick is up to 10 ms today, and 2 s if only whole
 * seconds are stored.
 */
async function sourceIdentity(source: ByteSource): Promise<string | undefined> {
  if (source.native?.kind !== 'file' || source.unchanged === undefined) return undefined
  try {
    const now = BigInt(Date.now()) * 1_000_000n
    const stats = await stat(source.native.path, { bigint: true })
    // checked after the stat: the stat is that of the content that the source reads
    if (!stats.isFile() || !(await source.unchanged())) return undefined
    const tick = stats.mtimeNs % 1_000_000_000n === 0n ? 2_000_000_000n : 20_000_000n
    return stats.mtimeNs + tick > now ? undefined : fileIdentity(stats)
  } catch {
    return undefined
  }
}

const fileIdentity = ({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string =>
  [dev, ino, size, mtimeNs, ctimeNs].join(' ')

/** True if another process on this machine is still uploading. A process on another machine counts as gone. */
function isRunning({ host, pid }: v.InferOutput<typeof Entry>): boolean {
  if (host !== hostname() || pid === process.pid) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

async function removeStaleFiles(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => [])
  for (const name of names) {
    const path = join(folder, name)
    const stats = await stat(path).catch(() => undefined)
    if (stats !== undefined && Date.now() - stats.mtimeMs > MAX_AGE)
      await rm(path, { force: true }).catch(() => {})
  }
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
