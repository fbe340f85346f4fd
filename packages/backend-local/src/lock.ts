import { createHash, randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { isAbandoned, type OpOptions, sleep, startTimer, thisProcess } from '@ivcap/core/driver'
import { entriesOf, type LocalFs, makeFolder, modifiedNs, orAbsent } from './local-fs.js'
import { writeText } from './staging.js'

/** A process on another machine that has held a lock for longer is taken for dead. In ms. */
const STRANGERS_HOLD = 60_000
/** Longest pause between two tries, in ms. */
const LONGEST_PAUSE = 40
/** Pause before a lock that could not be removed is tried again, in ms. */
const RELEASE_AGAIN = 50

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

  /** `finish` does what a dead holder left undone; it is called with the lock held. */
  constructor(fs: LocalFs, dir: string, finish: (left: Intent) => Promise<void>) {
    this.#fs = fs
    this.#dir = dir
    this.#finish = finish
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
    for (const { name } of await entriesOf(this.#fs, this.#dir)) {
      const [hash = '', owner = ''] = name.split('.')
      if (await this.#isDead(name, owner)) hashes.add(hash)
    }
    for (const hash of hashes) {
      await this.#inLine(hash, {}, async () => {
        await this.#release(await this.#acquire(hash, {}))
      })
    }
  }

  async #acquire(hash: string, { signal }: OpOptions): Promise<string> {
    for (let attempt = 1; ; attempt++) {
      signal?.throwIfAborted()
      const name = `${hash}.${thisProcess()}.${randomUUID()}`
      const mine = join(this.#dir, name)
      await makeFolder(this.#fs, this.#dir)
      try {
        // inside: what fails here may have made the file before it failed
        await writeText(this.#fs, mine, '', false)
        const { alive, dead } = await this.#others(hash, name)
        if (!alive) {
          for (const path of dead) await this.#clear(path)
          return mine
        }
      } catch (e) {
        await this.#release(mine)
        throw e
      }
      await this.#release(mine)
      await sleep(Math.random() * Math.min(2 ** attempt, LONGEST_PAUSE), signal)
    }
  }

  /** While it lies there, all others wait: one that can't be removed now is tried again for as long as this process lives. */
  async #release(path: string): Promise<void> {
    try {
      await orAbsent(this.#fs.unlink(path))
    } catch {
      startTimer(() => void this.#release(path), RELEASE_AGAIN).unref()
    }
  }

  async #others(hash: string, mine: string): Promise<{ alive: boolean; dead: string[] }> {
    const dead: string[] = []
    for (const { name } of await entriesOf(this.#fs, this.#dir)) {
      const [itsHash, owner = ''] = name.split('.')
      if (itsHash !== hash || name === mine) continue
      if (!(await this.#isDead(name, owner))) return { alive: true, dead: [] }
      dead.push(join(this.#dir, name))
    }
    return { alive: false, dead }
  }

  async #isDead(name: string, owner: string): Promise<boolean> {
    const stat = await orAbsent(this.#fs.lstat(join(this.#dir, name), { bigint: true }))
    return stat === undefined || isAbandoned(owner, Number(modifiedNs(stat) / 1_000_000n), STRANGERS_HOLD)
  }

  async #clear(path: string): Promise<void> {
    if (path.endsWith('.todo')) {
      const text = await orAbsent(this.#fs.readFile(path, 'utf8'))
      await this.#finish(intentOf(text ?? ''))
    }
    await orAbsent(this.#fs.unlink(path))
  }

  async #inLine<T>(hash: string, { signal }: OpOptions, run: () => Promise<T>): Promise<T> {
    const before = this.#lines.get(hash) ?? Promise.resolve()
    const result = before.then(() => {
      signal?.throwIfAborted()
      return run()
    })
    const done = result.then(
      () => {},
      () => {},
    )
    this.#lines.set(hash, done)
    try {
      return await result
    } finally {
      if (this.#lines.get(hash) === done) this.#lines.delete(hash)
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
