import { randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rm, rmdir, stat, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { IvcapError } from '@ivcap/core/driver'
import { isProcessGone, processIdentity } from '@ivcap/core/internal'

/** Folder below `dir` for the lock. */
const OWN_FOLDER = '.ivcap-server'
const CLAIM = /^server\.([^.]+)\.[0-9a-f-]{36}$/
/** The owner updates the time of its claim at each heartbeat. A claim of another machine without heartbeats expires. */
const HEARTBEAT_MS = 10_000
const EXPIRY_MS = 60_000
/** Two servers that start at the same time both withdraw and retry. */
const ATTEMPTS = 5

export interface FolderLock {
  /** Idempotent. Removes the folders that `lockFolder` created, if they are empty. */
  release(): Promise<void>
}

/**
 * Locks a folder for this server. Each server writes its own claim and then reads those of others: of two concurrent servers at
 * least one sees the other. Claims are never taken over, which avoids a race of two takeovers. Claims of dead processes are
 * removed.
 *
 * @throws IvcapError `unavailable` that names the process that has locked the folder; `invalid-argument` if the folder cannot be
 * written
 */
export async function lockFolder(dir: string): Promise<FolderLock> {
  for (let attempt = 1; ; attempt++) {
    const claim = await writeClaim(dir)
    const other = await findOther(claim.folder, claim.name).catch(async (error: unknown) => {
      await claim.release()
      throw error
    })
    if (other === undefined) return withHeartbeat(claim)
    await claim.release()
    if (attempt === ATTEMPTS || !other.isNew) throw inUse(dir, other.pid)
    await delay(50 * attempt * (1 + Math.random()))
  }
}

interface Claim extends FolderLock {
  readonly folder: string
  readonly name: string
}

async function writeClaim(dir: string): Promise<Claim> {
  const folder = join(dir, OWN_FOLDER)
  const name = `server.${processIdentity()}.${randomUUID()}`
  const path = join(folder, name)
  const content = JSON.stringify({ pid: process.pid, host: hostname(), startedAt: new Date().toISOString() })
  try {
    const first = await mkdir(folder, { recursive: true })
    await writeFile(path, `${content}\n`, { flag: 'wx' })
    return { folder, name, release: () => removeClaim(path, dir, first) }
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new IvcapError(
      'invalid-argument',
      `dir cannot be used (${why}): give a folder that this user can write`,
      {
        argument: 'dir',
        cause,
      },
    )
  }
}

/** @param first The topmost folder that was created for the claim, if any */
async function removeClaim(path: string, dir: string, first: string | undefined): Promise<void> {
  await rm(path, { force: true })
  const last = first ?? dirname(path)
  for (let folder = dirname(path); folder.length >= last.length; folder = dirname(folder)) {
    const removed = await rmdir(folder).then(
      () => true,
      () => false,
    )
    if (!removed || folder === dirname(dir)) return
  }
}

async function findOther(
  folder: string,
  own: string,
): Promise<{ readonly pid: string; readonly isNew: boolean } | undefined> {
  for (const name of await readdir(folder)) {
    const owner = CLAIM.exec(name)?.[1]
    if (owner === undefined || name === own) continue
    const path = join(folder, name)
    const stats = await stat(path).catch(() => undefined)
    if (stats === undefined) continue
    if (isProcessGone(owner, stats.mtimeMs, EXPIRY_MS)) {
      await rm(path, { force: true })
      continue
    }
    return { pid: await pidOf(path, owner), isNew: Date.now() - stats.birthtimeMs < 1000 }
  }
  return undefined
}

/** For the error text only. An unreadable claim is still a claim. */
async function pidOf(path: string, owner: string): Promise<string> {
  try {
    const { pid, host } = Object(JSON.parse(await readFile(path, 'utf8')))
    if (Number.isInteger(pid)) return host === hostname() ? String(pid) : `${pid} on ${String(host)}`
  } catch {
    // not yet written, or damaged
  }
  return owner.split('-')[1] ?? 'unknown'
}

function withHeartbeat(claim: Claim): FolderLock {
  const path = join(claim.folder, claim.name)
  const timer = setInterval(() => {
    const now = new Date()
    utimes(path, now, now).catch(() => {})
  }, HEARTBEAT_MS).unref()
  return {
    release: async () => {
      clearInterval(timer)
      await claim.release()
    },
  }
}

function inUse(dir: string, pid: string): IvcapError {
  const message = `The folder ${dir} is in use by another server, process ${pid}: stop that one, or give another dir`
  return new IvcapError('unavailable', message, { argument: 'dir', retryable: false })
}
