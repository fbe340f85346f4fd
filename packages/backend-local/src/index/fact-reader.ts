import { join } from 'node:path'
import type { JsonObject } from '@ivcap/core/driver'
import { nextTurn } from '@ivcap/core/internal'
import { type AspectFolder, endOf, uuidOfFile } from '../aspects/files.js'
import { etagOf, type LocalFs, type LocalStat, lstatIfThere, modifiedNs } from '../fs/local-fs.js'
import type { Omissions } from '../fs/omissions.js'
import type { Fact, Version } from './facts.js'

/** Files read before other work gets a turn. */
const SLICE = 64

/** Reads the facts of aspects from their files, and remembers which files are not aspects. */
export class FactReader {
  readonly #folder: AspectFolder
  readonly #omissions: Omissions
  readonly #fs: LocalFs
  /** Files that are not aspects, with the etag of the last check. */
  readonly #refused = new Map<string, string>()

  constructor(fs: LocalFs, folder: AspectFolder, omissions: Omissions) {
    this.#fs = fs
    this.#folder = folder
    this.#omissions = omissions
  }

  get refused(): readonly string[] {
    return [...this.#refused.keys()]
  }

  /** Adds names that another process has refused. This process still checks each of them once. */
  refuse(names: readonly string[]): void {
    for (const name of names) if (!this.#refused.has(name)) this.#refused.set(name, '')
  }

  /** Calls `onFact` for each file that is an aspect. `isThere`: true for records known to exist. */
  async read(
    names: readonly string[],
    onFact: (fact: Fact, content: JsonObject) => void,
    isThere: (uuid: string) => boolean,
  ): Promise<void> {
    await inSlices(names, async (name) => {
      const read = await this.#read(name, isThere)
      if (read !== undefined) onFact(read.fact, read.content)
    })
  }

  /** Returns the uuids whose files are gone or have a version that `isOf` does not accept. */
  async changed(
    uuids: readonly string[],
    isOf: (uuid: string, version: Version) => boolean,
  ): Promise<string[]> {
    const changed: string[] = []
    await inSlices(uuids, async (uuid) => {
      const stat = await lstatIfThere(this.#fs, this.#folder.path(uuid))
      if (stat === undefined || !isOf(uuid, versionOf(stat))) changed.push(uuid)
    })
    return changed
  }

  async #read(name: string, isThere: (uuid: string) => boolean) {
    const path = join(this.#folder.dir, name)
    // stat before reading: if the file changes in between, it has another version, and is read again
    const stat = await lstatIfThere(this.#fs, path)
    if (stat === undefined) {
      this.#refused.delete(name)
      this.#omissions.clear(path)
      return undefined
    }
    if (this.#refused.get(name) === etagOf(stat)) return undefined
    const uuid = uuidOfFile(name)
    if (uuid === undefined) return this.#refuse(name, stat, 'its name is not that of an aspect, <uuid>.json')
    const stored = await this.#folder.read(uuid, stat)
    if (stored === undefined && !stat.isSymbolicLink()) return undefined
    if (stored === undefined) return this.#refuse(name, stat, 'its symbolic link leads nowhere')
    if ('unreadable' in stored) return this.#refuse(name, stat, stored.unreadable, stored.cause !== undefined)
    this.#refused.delete(name)
    this.#omissions.clear(path)
    const { entity, schema, validFrom, validTo: shown } = stored.record
    // the end in the file is a copy of the closing's end, and depends on the same successor
    const closing =
      shown !== undefined && stored.by === undefined ? await this.#folder.closing(uuid) : undefined
    const isCommitted = async (by: string) => isThere(by) || (await this.#folder.exists(by))
    const validTo = shown === undefined ? undefined : (await endOf(stored, closing, isCommitted)).validTo
    const fact: Fact = { uuid, entity, schema, validFrom, validTo, ...versionOf(stat) }
    return { fact, content: stored.record.content ?? {} }
  }

  /** `isPassing`: the file may become readable without being written, e.g. if its permissions change. */
  #refuse(name: string, stat: LocalStat, why: string, isPassing = false): undefined {
    this.#refused.set(name, isPassing ? '' : etagOf(stat))
    // a folder is reported only if its name is that of a record
    if (stat.isDirectory() && uuidOfFile(name) === undefined) return
    this.#omissions.report({ path: join(this.#folder.dir, name), state: `${etagOf(stat)} ${why}`, why })
  }
}

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
