import { createHash, randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { abortable, IvcapError, type OpOptions, sleep } from '@ivcap/core/driver'
import { isProcessGone, parseJson, processIdentity, startTimer } from '@ivcap/core/internal'
import { entriesOf, type LocalFs, lstatIfThere, makeFolder, modifiedNs, orAbsent } from './local-fs.js'
import type { Omissions } from './omissions.js'
import type { OwnFolder } from './own-folder.js'
import { MAX_SMALL_FILE, readSmall } from './read-small.js'
import { writeText } from './staging.js'

/** Default of the time to wait for one live holder, in ms. */
export const LOCK_TIMEOUT = 60_000
/** A process on another machine that has held a lock for longer than this is considered dead, in ms. */
const FOREIGN_LOCK_TTL = 60_000
/** Longest pause between two tries, in ms. */
const LONGEST_PAUSE = 40
/** Pause before a lock that could not be removed is tried again, in ms. */
const RELEASE_AGAIN = 50

/** Upper limit of `#firstSeen`. */
const MAX_FIRST_SEEN = 1000
/** `<hash of the key>.<process id>.<uuid>`; with `.todo`, the intent of its holder. */
const LOCK = /^([0-9a-f]{32})\.([^.]+)\.[0-9a-f-]{36}(?:\.todo)?$/

interface LockFile {
  readonly name: string
  readonly hash: string
  readonly processId: string
}

/** Uuids of the records that the holder is about to close. If it dies, the next holder finishes that. */
export type Intent = readonly string[]

/**
 * One holder at a time for each key, among all processes that share the folder. A process acquires a lock by creating a file of
 * its own (`<key>.<process id>.<uuid>`) and then listing the files of that key. If another one belongs to a live process, it
 * deletes its own and tries again later. Two processes cannot both acquire the lock, because both create before they list. Files
 * of dead processes are ignored; as their names are never reused, deleting them cannot release the lock of a new holder.
 */
export class Locks {
  readonly #fs: LocalFs
  readonly #dir: string
  readonly #finish: (left: Intent) => Promise<void>
  /** Callers in this process form one queue for each key; only the first contends with other processes. */
  readonly #queues = new Map<string, Promise<void>>()
  readonly #own: OwnFolder
  readonly #omissions: Omissions
  readonly #timeout: number
  /** When locks of other processes were first seen, by file name. The timeout counts from then for all callers in the queue. */
  readonly #firstSeen = new Map<string, number>()

  constructor(parts: {
    readonly fs: LocalFs
    readonly dir: string
    readonly own: OwnFolder
    readonly omissions: Omissions
    /** Milliseconds to wait for one live holder. */
    readonly timeout: number
    /** Finishes the intent of a dead holder. Called with the lock held. */
    readonly finish: (left: Intent) => Promise<void>
  }) {
    this.#fs = parts.fs
    this.#dir = parts.dir
    this.#own = parts.own
    this.#omissions = parts.omissions
    this.#timeout = parts.timeout
    this.#finish = parts.finish
  }

  async with<T>(
    key: string,
    o: OpOptions,
    run: (announce: (intent: Intent) => Promise<void>) => Promise<T>,
  ): Promise<T> {
    const hash = createHash('sha256').update(key).digest('hex').slice(0, 32)
    return await this.#queued(hash, o, async () => {
      const mine = await this.#acquire(hash, o)
      const notes: string[] = []
      try {
        return await run(async (intent) => {
          const note = `${mine}.todo`
          notes.push(note)
          await writeText(this.#fs, note, JSON.stringify(intent), false)
          await this.#own.share(note)
        })
      } finally {
        // never fails: the work is done
        for (const path of [...notes, mine]) await this.#release(path)
      }
    })
  }

  /** Finishes the intents of dead processes, for all keys. */
  async finishAbandoned(): Promise<void> {
    const hashes = new Set<string>()
    for (const lock of await this.#entries()) if (await this.#isDead(lock)) hashes.add(lock.hash)
    for (const hash of hashes) {
      await this.#queued(hash, {}, async () => {
        // if a live process holds the lock, its next holder removes the files of dead processes
        const lock = await this.#acquire(hash, {}, 'none')
        if (lock !== undefined) await this.#release(lock)
      })
    }
  }

  #acquire(hash: string, o: OpOptions): Promise<string>
  /** Returns undefined if a live process holds the lock. */
  #acquire(hash: string, o: OpOptions, waiting: 'none'): Promise<string | undefined>
  async #acquire(hash: string, { signal }: OpOptions, waiting?: 'none'): Promise<string | undefined> {
    for (let attempt = 1; ; attempt++) {
      signal?.throwIfAborted()
      const name = `${hash}.${processIdentity()}.${randomUUID()}`
      const mine = join(this.#dir, name)
      await makeFolder(this.#fs, this.#dir)
      try {
        // inside `try`: a failed write may have created the file
        await writeText(this.#fs, mine, '', false)
        const { alive, dead } = await this.#others(hash, name)
        if (alive === undefined) {
          for (const path of dead) await this.#clear(path)
          for (const seen of this.#firstSeen.keys()) if (seen.startsWith(hash)) this.#firstSeen.delete(seen)
          return mine
        }
        if (waiting === 'none') {
          await this.#release(mine)
          return undefined
        }
        this.#checkWait(alive)
      } catch (e) {
        await this.#release(mine)
        throw e
      }
      await this.#release(mine)
      await sleep(Math.random() * Math.min(2 ** attempt, LONGEST_PAUSE), signal)
    }
  }

  /** @throws IvcapError `unavailable` if the same holder has held the lock for longer than the timeout */
  #checkWait({ name, processId }: LockFile): void {
    const now = performance.now()
    const since = this.#firstSeen.get(name) ?? now
    if (this.#firstSeen.size > MAX_FIRST_SEEN) this.#firstSeen.clear()
    this.#firstSeen.set(name, since)
    if (now - since < this.#timeout) return
    const pid = processId.split('-')[1] ?? 'unknown'
    const message =
      `process ${pid} has held ${join(this.#dir, name)} for more than ${this.#timeout} ms, and it is still alive: ` +
      `if it was stopped, let it go on (kill -CONT ${pid}) or end it, then try again`
    throw new IvcapError('unavailable', message, { resource: join(this.#dir, name), retryable: false })
  }

  /** Deletes the file. If that fails, tries again until this process ends, because all other processes wait for it. */
  async #release(path: string): Promise<void> {
    try {
      await orAbsent(this.#fs.unlink(path))
    } catch {
      startTimer(() => void this.#release(path), RELEASE_AGAIN).unref()
    }
  }

  async #others(hash: string, mine: string): Promise<{ alive?: LockFile; dead: string[] }> {
    const dead: string[] = []
    for (const lock of await this.#entries()) {
      if (lock.hash !== hash || lock.name === mine) continue
      if (!(await this.#isDead(lock))) return { alive: lock, dead: [] }
      dead.push(join(this.#dir, lock.name))
    }
    return { dead }
  }

  /** Other files in the folder are reported and ignored. */
  async #entries(): Promise<LockFile[]> {
    const locks: LockFile[] = []
    for (const { name, kind } of await entriesOf(this.#fs, this.#dir, { small: true })) {
      const [, hash = '', processId = ''] = LOCK.exec(name) ?? []
      if (hash !== '' && kind === 'file') locks.push({ name, hash, processId })
      else this.#omissions.report({ path: join(this.#dir, name), state: kind, why: 'it is not a lock' })
    }
    return locks
  }

  async #isDead({ name, processId }: LockFile): Promise<boolean> {
    const stat = await lstatIfThere(this.#fs, join(this.#dir, name))
    return (
      stat === undefined || isProcessGone(processId, Number(modifiedNs(stat) / 1_000_000n), FOREIGN_LOCK_TTL)
    )
  }

  async #clear(path: string): Promise<void> {
    if (path.endsWith('.todo')) {
      const text = await readSmall(this.#fs, path, MAX_SMALL_FILE)
      await this.#finish(intentOf(typeof text === 'string' ? text : ''))
    }
    await orAbsent(this.#fs.unlink(path))
  }

  async #queued<T>(hash: string, { signal }: OpOptions, run: () => Promise<T>): Promise<T> {
    const before = this.#queues.get(hash) ?? Promise.resolve()
    let leave = () => {}
    const mine = new Promise<void>((done) => {
      leave = done
    })
    // the next caller waits for all before it, even if this one is aborted
    const line = before.then(() => mine)
    this.#queues.set(hash, line)
    void line.then(() => {
      if (this.#queues.get(hash) === line) this.#queues.delete(hash)
    })
    try {
      await abortable(before, signal)
      return await run()
    } finally {
      leave()
    }
  }
}

/** Returns an empty intent if the text is incomplete: the holder died before it changed anything. */
function intentOf(text: string): Intent {
  const parsed = parseJson(text)
  return Array.isArray(parsed) ? parsed.filter((item) => typeof item === 'string') : []
}
