import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { type AspectFolder, uuidOfFile } from './aspect-folder.js'
import type { Fact, Version } from './aspect-table.js'
import { errnoOf, etagOf, type LocalFs, type LocalStat, modifiedNs, orAbsent } from './local-fs.js'

/** Taken when this module is loaded: code under test may replace timers by ones that stand still. */
const nextTurn = setImmediate

/** Files looked at before other work gets its turn. */
const SLICE = 64

/** Reads from the files of aspects what the index keeps, and remembers which of them are none. */
export class FactReader {
  readonly #folder: AspectFolder
  readonly #warn: (message: string) => void
  readonly #lstat: (path: string) => Promise<LocalStat>
  readonly #readFile: (path: string) => Promise<string>
  /** Files that are no aspects, as they were when last looked at. */
  readonly #refused = new Map<string, string>()

  constructor(fs: LocalFs, folder: AspectFolder, warn: (message: string) => void) {
    const { sync } = fs
    this.#folder = folder
    this.#warn = warn
    this.#lstat = async (path) =>
      sync ? sync.lstatSync(path, { bigint: true }) : fs.lstat(path, { bigint: true })
    this.#readFile = async (path) => (sync ? sync.readFileSync(path, 'utf8') : fs.readFile(path, 'utf8'))
  }

  get refused(): readonly string[] {
    return [...this.#refused.keys()]
  }

  /** Another process has found that these are none: this one will see for itself. */
  refuse(names: readonly string[]): void {
    for (const name of names) if (!this.#refused.has(name)) this.#refused.set(name, '')
  }

  /** Tells what each of these files says; nothing of one that is gone, or no aspect. */
  async read(names: readonly string[], tell: (fact: Fact) => void): Promise<void> {
    await inSlices(names, async (name) => {
      const fact = await this.#read(name)
      if (fact !== undefined) tell(fact)
    })
  }

  /** Tells which of these are not of the version that `isOf` knows, or gone. */
  async changed(
    uuids: readonly string[],
    isOf: (uuid: string, version: Version) => boolean,
  ): Promise<string[]> {
    const changed: string[] = []
    await inSlices(uuids, async (uuid) => {
      const stat = await orAbsent(this.#lstat(this.#folder.path(uuid)))
      if (stat === undefined || !isOf(uuid, versionOf(stat))) changed.push(uuid)
    })
    return changed
  }

  async #read(name: string): Promise<Fact | undefined> {
    const path = join(this.#folder.dir, name)
    // before the content: should that change in between, it is of another version, and read again
    const stat = await orAbsent(this.#lstat(path))
    if (stat === undefined) this.#refused.delete(name)
    if (stat === undefined || this.#refused.get(name) === etagOf(stat)) return undefined
    const uuid = uuidOfFile(name)
    if (uuid === undefined || stat.isDirectory())
      return this.#refuse(name, stat, 'its name is not <uuid>.json')
    const text = await orAbsent(this.#readFile(path)).catch((e: unknown) => {
      // one file that can't be read is no reason to show none; a disk or a process in trouble is
      if (errnoOf(e) === 'EACCES' || errnoOf(e) === 'ELOOP') return null
      throw e
    })
    if (text === undefined) return undefined
    const record = text === null ? 'it may not be read' : this.#folder.decode(uuid, text)
    if (typeof record === 'string') return this.#refuse(name, stat, record)
    this.#refused.delete(name)
    const { entity, schema, validFrom, validTo } = record
    return { uuid, entity, schema, validFrom, validTo, ...versionOf(stat) }
  }

  #refuse(name: string, stat: LocalStat, why: string): undefined {
    this.#refused.set(name, etagOf(stat))
    if (!stat.isDirectory()) {
      this.#warn(`${join(this.#folder.dir, name)} is not an aspect, and is left out: ${why}`)
    }
  }
}

/** What tells a file from one that was in its place before. */
export const versionOf = (stat: LocalStat): Version => ({
  changed: Number(modifiedNs(stat)),
  size: Number(stat.size),
})

async function inSlices<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  for (let i = 0; i < items.length; i += SLICE) {
    if (i > 0) await nextTurn()
    await Promise.all(items.slice(i, i + SLICE).map(work))
  }
}
