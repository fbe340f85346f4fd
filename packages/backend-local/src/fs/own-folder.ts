import { join } from 'node:path'
import { ARTIFACTS, ASPECTS, OWN } from '../artifacts/names.js'
import type { FolderLayout } from '../layout.js'
import { type LocalFs, type LocalStat, makeFolder, statIfThere } from './local-fs.js'

/** Permissions copied from the folder, without the sticky bit: other users must be able to remove files of dead processes. */
const FOLDER_BITS = 0o2777
const FILE_BITS = 0o666

/**
 * The subfolders that all users of the folder share: `.ivcap` and the folders in it, `aspects`, and `artifacts` in the layout of
 * that name. They and the files in `.ivcap` get the permissions and the group of the folder itself, regardless of the umask of
 * the process, so that all members of the group can read and replace each other's files.
 */
export class OwnFolder {
  readonly #fs: LocalFs
  readonly #dir: string
  readonly #layout: FolderLayout
  #made: Promise<LocalStat | undefined> | undefined

  constructor(parts: { readonly fs: LocalFs; readonly dir: string; readonly layout: FolderLayout }) {
    this.#fs = parts.fs
    this.#dir = parts.dir
    this.#layout = parts.layout
  }

  /** Creates the folders. Must be awaited before anything is written. */
  async ensure(): Promise<void> {
    await this.#ensure()
  }

  async #ensure(): Promise<LocalStat | undefined> {
    const made = this.#made ?? this.#make()
    this.#made = made
    try {
      return await made
    } catch (e) {
      if (this.#made === made) this.#made = undefined
      throw e
    }
  }

  /** Gives a new file in `.ivcap` the permissions and the group of the folder. */
  async share(path: string): Promise<void> {
    await this.#adjust(path, await this.#ensure(), FILE_BITS)
  }

  /** Gives a file the permissions and the group of the file that it replaces. */
  async like(path: string, old: LocalStat): Promise<void> {
    await this.#adjust(path, old, 0o777)
  }

  async #make(): Promise<LocalStat | undefined> {
    const own = join(this.#dir, OWN)
    const layout = await this.#layout.get()
    const folders = [own, ...['locks', 'staging', 'closed'].map((name) => join(own, name))]
    folders.push(join(this.#dir, ASPECTS))
    if (layout === 'artifacts') folders.push(join(this.#dir, ARTIFACTS))
    await makeFolder(this.#fs, this.#dir)
    const base = await statIfThere(this.#fs, this.#dir)
    for (const folder of folders) {
      await makeFolder(this.#fs, folder)
      await this.#adjust(folder, base, FOLDER_BITS)
    }
    await this.#layout.record((path) => this.#adjust(path, base, FILE_BITS))
    return base
  }

  /** Failures are ignored: the file may belong to another user. */
  async #adjust(path: string, model: LocalStat | undefined, bits: number): Promise<void> {
    const fs = this.#fs
    if (model?.mode === undefined || fs.chmod === undefined) return
    const stat = await statIfThere(fs, path)
    if (stat?.mode === undefined) return
    // group first: changing it clears the set-group-ID bit
    if (fs.chown !== undefined && model.gid !== undefined && stat.gid !== model.gid)
      await fs.chown(path, -1, Number(model.gid)).catch(() => {})
    const owners = bits === FOLDER_BITS ? 0o700 : 0o600
    const wanted = (Number(model.mode) & bits) | owners
    // a user may have given an existing folder more permissions
    const allowed = bits === FOLDER_BITS ? wanted | (Number(stat.mode) & bits) : wanted
    if ((Number(stat.mode) & 0o7777 & (bits | 0o7000)) !== allowed)
      await fs.chmod(path, allowed).catch(() => {})
  }
}
