import { createHash, randomUUID } from 'node:crypto'
import type { BigIntStats } from 'node:fs'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import * as v from 'valibot'

/**
 * Nanoseconds. A file that is written twice within one tick of its file system's clock has the same stat both times. Ticks
 * are 1–10 ms on today's file systems, 1 s on older ones and 2 s on FAT. The stat is taken before the content is read. It is
 * stored only if at that time the last change of the file was longer ago than the longest tick: then any later write has a later
 * time. (If the clock of a network file system is seconds behind ours, two changes within one of its ticks may be missed.)
 */
const GRAIN = 2_000_000_000n

/** Minimum bytes of a file in the cache. A smaller file is hashed faster than its entry is written. */
const WORTH_KEEPING = 256n * 1024n

const Entry = v.object({
  path: v.string(),
  size: v.string(),
  mtimeNs: v.string(),
  ctimeNs: v.string(),
  ino: v.string(),
  md5: v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/)),
})

/** A stat that was taken before the content was read. */
export interface Seen {
  readonly found: BigIntStats
  /** When the stat was taken, in milliseconds since 1970. */
  readonly at: number
}

/** Caches the MD5 of files by their stat, so that an unchanged file need not be read again. Each entry is a small file. */
export interface StatCache {
  /** Returns the MD5 of the content if the file is cached with exactly this stat. */
  get(path: string, found: BigIntStats): Promise<string | undefined>
  /** Ignores small files, and files that changed too shortly before the stat. */
  set(path: string, seen: Seen, md5: string): Promise<void>
}

/** Never fails because of `dir`: if that cannot be used, `get` returns undefined and `set` does nothing. */
export function statCache(dir: string): StatCache {
  const place = join(dir, 'files')
  const entryOf = (path: string) => join(place, `${createHash('sha256').update(path).digest('hex')}.json`)
  return {
    async get(path, found) {
      if (found.size < WORTH_KEEPING) return undefined
      const entry = parse(await readFile(entryOf(path), 'utf8').catch(() => ''))
      if (entry === undefined) return undefined
      const { md5, ...known } = entry
      return isDeepStrictEqual(known, identity(path, found)) ? md5 : undefined
    },
    async set(path, { found, at }, md5) {
      if (found.size < WORTH_KEEPING) return
      const settled = BigInt(at) * 1_000_000n - GRAIN
      if (found.mtimeNs >= settled || found.ctimeNs >= settled) return
      const temporary = join(place, `${randomUUID()}.part`)
      try {
        await mkdir(place, { recursive: true, mode: 0o700 })
        await writeFile(temporary, JSON.stringify({ ...identity(path, found), md5 }), {
          mode: 0o600,
          flag: 'wx',
        })
        await rename(temporary, entryOf(path))
      } catch {
        await rm(temporary, { force: true }).catch(() => {})
      }
    },
  }
}

/** The user's cache folder, by the conventions of each platform; undefined if the user has none. */
export function defaultStateDir(
  env: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
): string | undefined {
  const { XDG_CACHE_HOME: xdg, LOCALAPPDATA: local, HOME: home = homeOrNone() } = env
  // the XDG specification requires that relative paths are ignored
  if (xdg !== undefined && isAbsolute(xdg)) return join(xdg, 'ivcap')
  if (platform === 'win32' && local !== undefined && local !== '') return join(local, 'ivcap', 'Cache')
  if (home === undefined || home === '') return undefined
  return platform === 'darwin' ? join(home, 'Library', 'Caches', 'ivcap') : join(home, '.cache', 'ivcap')
}

function homeOrNone(): string | undefined {
  try {
    return homedir()
  } catch {
    return undefined
  }
}

/** As strings, since JSON has no 64-bit integers. */
function identity(path: string, { size, mtimeNs, ctimeNs, ino }: BigIntStats) {
  return { path, size: `${size}`, mtimeNs: `${mtimeNs}`, ctimeNs: `${ctimeNs}`, ino: `${ino}` }
}

function parse(text: string): v.InferOutput<typeof Entry> | undefined {
  try {
    const entry = v.safeParse(Entry, JSON.parse(text))
    return entry.success ? entry.output : undefined
  } catch {
    return undefined
  }
}
