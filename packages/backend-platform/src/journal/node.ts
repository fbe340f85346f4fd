/** In Node an upload of a file is remembered in the state folder, one small file each. Reached as `#journal`. */
import { createHash, randomUUID } from 'node:crypto'
import type { BigIntStats } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import type { ByteSource } from '@ivcap/core/driver'
import { defaultStateDir } from '@ivcap/core/internal'
import * as v from 'valibot'
import { BegunJson, begunOf, parseEntry } from './begun.js'
import type { Begun, Claim, Journal } from './types.js'

export type { Begun, Claim, Journal, Journals } from './types.js'

/** Deployments clear unfinished uploads away long before that. */
const KEPT_MS = 30 * 24 * 3600_000

const Entry = v.object({
  ...BegunJson.entries,
  file: v.string(),
  /** Who is at it, if that process still lives. */
  host: v.string(),
  pid: v.number(),
})

/** The places that this process holds. */
const held = new Set<string>()

/** See `Journals.openJournal`. */
export function openJournal(stateDir: string | false | undefined): Journal {
  const state = stateDir === false ? undefined : (stateDir ?? defaultStateDir())
  if (state === undefined) return { claim: async () => undefined }
  const folder = join(resolve(state), 'uploads')
  let swept = false
  return {
    async claim(source, subject) {
      const file = await identityOf(source)
      if (file === undefined || source.native?.kind !== 'file') return undefined
      if (!swept) void sweep(folder)
      swept = true
      const path = join(folder, `${digest(JSON.stringify([subject, source.native.path]))}.json`)
      if (held.has(path)) return undefined
      held.add(path)
      const entry = parseEntry(Entry, await readFile(path, 'utf8').catch(() => null))
      if (entry !== undefined && isAlive(entry)) {
        held.delete(path)
        return undefined
      }
      return claimAt(path, file, entry?.file === file ? begunOf(entry) : undefined)
    },
  }

  function claimAt(path: string, file: string, earlier: Begun | undefined): Claim {
    return {
      ...(earlier && { earlier }),
      async keep(begun) {
        const entry: v.InferOutput<typeof Entry> = { ...begun, file, host: hostname(), pid: process.pid }
        const temporary = join(folder, `${randomUUID()}.part`)
        try {
          await mkdir(folder, { recursive: true, mode: 0o700 })
          await writeFile(temporary, JSON.stringify(entry), { mode: 0o600, flag: 'wx' })
          await rename(temporary, path)
        } catch {
          await rm(temporary, { force: true }).catch(() => {})
        }
      },
      forget: () => rm(path, { force: true }).catch(() => {}),
      release: () => void held.delete(path),
    }
  }
}

/**
 * The file as the source reads it, by its stat; undefined where that does not tell one content from another. Of two writes
 * within one tick of the file system's clock the stat shows but one: ticks are up to 10 ms today, and 2 s where only whole
 * seconds are kept.
 */
async function identityOf(source: ByteSource): Promise<string | undefined> {
  if (source.native?.kind !== 'file' || source.unchanged === undefined) return undefined
  try {
    const now = BigInt(Date.now()) * 1_000_000n
    const found = await stat(source.native.path, { bigint: true })
    // asked after the stat: between making the source and now nothing has changed, so this is the stat of what it reads
    if (!found.isFile() || !(await source.unchanged())) return undefined
    const tick = found.mtimeNs % 1_000_000_000n === 0n ? 2_000_000_000n : 20_000_000n
    return found.mtimeNs + tick > now ? undefined : identity(found)
  } catch {
    return undefined
  }
}

function identity({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(' ')
}

/** Another process of this machine that still runs. One of another machine can't be asked, and its number says nothing. */
function isAlive({ host, pid }: v.InferOutput<typeof Entry>): boolean {
  if (host !== hostname() || pid === process.pid) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

async function sweep(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => [])
  for (const name of names) {
    const path = join(folder, name)
    const found = await stat(path).catch(() => undefined)
    if (found !== undefined && Date.now() - found.mtimeMs > KEPT_MS)
      await rm(path, { force: true }).catch(() => {})
  }
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
