import { createHash, randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { abortable, IvcapError, type OpOptions, sleep } from '@ivcap/core/driver'
import { isProcessGone, processIdentity, startTimer } from '@ivcap/core/internal'
import type { LeftOuts } from './left-outs.js'
import { entriesOf, type LocalFs, lstatIfThere, makeFolder, modifiedNs, orAbsent } from './local-fs.js'
import type { OwnFolder } from './own-folder.js'
import { LARGEST_NOTE, readSmall } from './read-small.js'
import { writeText } from './staging.js'

/** A live holder is waited for so long, unless told otherwise. In ms. */
export const LOCK_TIMEOUT = 60_000
/** A process on another machine that has held a lock for longer is taken for dead. In ms. */
const STRANGERS_HOLD = 60_000
/** Longest pause between two tries, in ms. */
const LONGEST_PAUSE = 40
/** Pause before a lock that could not be removed is tried again, in ms. */
const RELEASE_AGAIN = 50

/** Locks of others that are remembered. */
const MET = 1000
/** `<hash of the key>.<owner>.<uuid>`, and with `.todo` what its holder is about to do. */
const LOCK = /^([0-9a-f]{32})\.([^.]+)\.[0-9a-f-]{36}(?:\.todo)?$/

interface LockFile {
  readonly name: string
  readonly hash: string
  readonly owner: string
}

/** What a holder says it is about to do, for others to finish should it die. */
export type Intent = readonly string[]

/**
 * One holder at a time for each key, among all processes that share the folder. Who wants a lock puts a file of its own
 * beside the others' (`<key>.<owner>.<uuid>`), and has it if no other holder is alive; else it takes its file away and
 * tries again a little later. As everybody writes first and looks second, two can't both see nobody. A dead process's file
 * counts for nothing, and as its name is never used again, clearing it can't hurt a new holder.
 */
export class Locks {
  readonly #fs: LocalFs
  readonly #dir: string
  readonly #finish: (left: Intent) => Promise<void>
  /** Holders within this object wait in line; only the first of them contends with other processes. */
  readonly #lines = new Map<string, Promise<void>>()
  readonly #own: OwnFolder
  readonly #leftOuts: LeftOuts
  readonly #timeout: number
  /** Locks of others that were met, by file name, and since when. Those who wait in line need not wait as long again. */
  readonly #met = new Map<string, number>()

  constructor(parts: {
    readonly fs: LocalFs
    readonly dir: string
    readonly own: OwnFolder
    readonly leftOuts: LeftOuts
    /** Milliseconds that one live holder is waited for. */
    readonly timeout: number
    /** Does what a dead holder left undone; called with the lock held. */
    readonly finish: (left: Intent) => Promise<void>
  }) {
    this.#fs = parts.fs
    this.#dir = parts.dir
    this.#own = parts.own
    this.#leftOuts = parts.leftOuts
    this.#timeout = parts.timeout
    this.#finish = parts.finish
  }

  async with<T>(
    key: string,
    o: OpOptions,
    run: (announce: (intent: Intent) => Promise<void>) => Promise<T>,
  ): Promise<T> {
    const hash = createHash('sha256').update(key).digest('hex').slice(0, 32)
    return await this.#inLine(hash, o, async () => {
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
        // what was done stays done when this fails
        for (const path of [...notes, mine]) await this.#release(path)
      }
    })
  }

  /** Finishes what dead processes have left, of all keys. */
  async sweep(): Promise<void> {
    const hashes = new Set<string>()
    for (const lock of await this.#entries()) if (await this.#isDead(lock)) hashes.add(lock.hash)
    for (const hash of hashes) {
      await this.#inLine(hash, {}, async () => {
        // a live holder's successor clears it as well
        const lock = await this.#acquire(hash, {}, 'none')
        if (lock !== undefined) await this.#release(lock)
      })
    }
  }

  #acquire(hash: string, o: OpOptions): Promise<string>
  /** undefined while somebody alive has the lock. */
  #acquire(hash: string, o: OpOptions, waiting: 'none'): Promise<string | undefined>
  async #acquire(hash: string, { signal }: OpOptions, waiting?: 'none'): Promise<string | undefined> {
    for (let attempt = 1; ; attempt++) {
      signal?.throwIfAborted()
      const name = `${hash}.${processIdentity()}.${randomUUID()}`
      const mine = join(this.#dir, name)
      await makeFolder(this.#fs, this.#dir)
      try {
        // inside: what fails here may have made the file before it failed
        await writeText(this.#fs, mine, '', false)
        const { alive, dead } = await this.#others(hash, name)
        if (alive === undefined) {
          for (const path of dead) await this.#clear(path)
          for (const met of this.#met.keys()) if (met.startsWith(hash)) this.#met.delete(met)
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

  /** @throws IvcapError `unavailable` when the very same holder has been in the way for too long */
  #checkWait({ name, owner }: LockFile): void {
    const now = performance.now()
    const since = this.#met.get(name) ?? now
    if (this.#met.size > MET) this.#met.clear()
    this.#met.set(name, since)
    if (now - since < this.#timeout) return
    const pid = owner.split('-')[1] ?? 'unknown'
    const message =
      `process ${pid} has held ${join(this.#dir, name)} for more than ${this.#timeout} ms, and it is still alive: ` +
      `if it was stopped, let it go on (kill -CONT ${pid}) or end it, then try again`
    throw new IvcapError('unavailable', message, { resource: join(this.#dir, name), retryable: false })
  }

  /** While it lies there, all others wait: one that can't be removed now is tried again for as long as this process lives. */
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

  /** What is no lock of ours does not lock. */
  async #entries(): Promise<LockFile[]> {
    const locks: LockFile[] = []
    for (const { name, kind } of await entriesOf(this.#fs, this.#dir, { small: true })) {
      const [, hash = '', owner = ''] = LOCK.exec(name) ?? []
      if (hash !== '' && kind === 'file') locks.push({ name, hash, owner })
      else this.#leftOuts.tell({ path: join(this.#dir, name), state: kind, why: 'it is not a lock' })
    }
    return locks
  }

  async #isDead({ name, owner }: LockFile): Promise<boolean> {
    const stat = await lstatIfThere(this.#fs, join(this.#dir, name))
    return stat === undefined || isProcessGone(owner, Number(modifiedNs(stat) / 1_000_000n), STRANGERS_HOLD)
  }

  async #clear(path: string): Promise<void> {
    if (path.endsWith('.todo')) {
      const text = await readSmall(this.#fs, path, LARGEST_NOTE)
      await this.#finish(intentOf(typeof text === 'string' ? text : ''))
    }
    await orAbsent(this.#fs.unlink(path))
  }

  async #inLine<T>(hash: string, { signal }: OpOptions, run: () => Promise<T>): Promise<T> {
    const before = this.#lines.get(hash) ?? Promise.resolve()
    let leave = () => {}
    const mine = new Promise<void>((done) => {
      leave = done
    })
    // who comes next waits for those before, too: a caller that gives up leaves a gap, not a shortcut
    const line = before.then(() => mine)
    this.#lines.set(hash, line)
    void line.then(() => {
      if (this.#lines.get(hash) === line) this.#lines.delete(hash)
    })
    try {
      await abortable(before, signal)
      return await run()
    } finally {
      leave()
    }
  }
}

/** What the text says; a holder that died while it wrote has done nothing of it. */
function intentOf(text: string): Intent {
  try {
    const parsed: unknown = JSON.parse(text)
    return Array.isArray(parsed) ? parsed.filter((item) => typeof item === 'string') : []
  } catch {
    return []
  }
}
