import { lstatSync, realpathSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { IvcapError, type Urn } from '@ivcap/core/driver'
import { fileUrn, pathOfFileUrn, show } from '@ivcap/core/internal'
import type { Bases } from '../bases.js'
import { withFsErrors } from '../fs/fs-error.js'
import { errnoOf, hostFs, type LocalFs, lstatIfThere, orAbsent, statIfThere } from '../fs/local-fs.js'
import type { FolderLayout } from '../layout.js'
import { ARTIFACTS, isArtifactPath, type Layout, segmentsOf } from './names.js'

/** A file in the folder. `path` has no symbolic links, as in the URNs of the Python client. */
export interface ArtifactPath {
  readonly id: Urn
  readonly path: string
  /** Relative to the folder of artifacts, with `/`. */
  readonly name: string
}

/** The folder below which all artifacts lie, without symbolic links. */
export interface ArtifactFolder {
  readonly path: string
  readonly layout: Layout
}

/** Upper limit of remembered ids with `%`. */
const HANDED_OUT = 10_000

/** Resolves names and ids to files in the folder. */
export class ArtifactPaths {
  readonly #fs: LocalFs
  /** Ids with `%` that this backend has returned: they are never percent-decoded, even after their files are gone. */
  readonly #handedOut = new Set<string>()
  readonly dir: string
  readonly #layout: FolderLayout
  /** Set once the folder exists. */
  #root: string | undefined

  constructor(parts: { readonly fs: LocalFs; readonly dir: string; readonly layout: FolderLayout }) {
    this.#fs = parts.fs
    this.dir = parts.dir
    this.#layout = parts.layout
  }

  /** The real path of the folder, which need not exist yet. @throws IvcapError `invalid-argument` for `baseDir` */
  async root(): Promise<string> {
    if (this.#root !== undefined) return this.#root
    const root = await this.#real(this.dir)
    const stat = await statIfThere(this.#fs, root)
    if (stat?.isDirectory()) this.#root = root
    if (stat === undefined || stat.isDirectory()) return root
    const message = `baseDir ${this.dir} is a file: name a folder, which need not be there yet`
    throw new IvcapError('invalid-argument', message, { argument: 'baseDir', resource: this.dir })
  }

  /**
   * The folder below which all artifacts lie; it need not exist yet.
   *
   * @throws IvcapError `invalid-argument` if `baseDir` or `<baseDir>/artifacts` is not a folder
   */
  async artifactFolder(): Promise<ArtifactFolder> {
    const layout = await this.#layout.get()
    const root = await this.root()
    if (layout === 'flat') return { path: root, layout }
    const path = join(root, ARTIFACTS)
    const stat = await lstatIfThere(this.#fs, path)
    if (stat === undefined || stat.isDirectory()) return { path, layout }
    const message = `${path} must be a folder, and no symbolic link: layout "artifacts" stores artifacts in it`
    throw new IvcapError('invalid-argument', message, { argument: 'baseDir', resource: path })
  }

  /** Returns the path of a new artifact. @throws IvcapError `invalid-argument` for `name` */
  async ofName(name: string): Promise<ArtifactPath> {
    const { path: root, layout } = await this.artifactFolder()
    const segments = segmentsOf(name, layout)
    const outside = (to: string) => {
      const message = `name ${show(name)} leads out of the folder, to ${to}, by a symbolic link: choose another one`
      return new IvcapError('invalid-argument', message, { argument: 'name' })
    }
    const requested = join(root, ...segments)
    return await withFsErrors('look up the path of the artifact', requested, 'name', async () => {
      const parent = await this.#real(dirname(requested))
      const target = describe(root, join(parent, segments.at(-1) ?? ''))
      if (target === undefined) throw outside(parent)
      // a link inside the folder may still lead to a path that is not for artifacts
      segmentsOf(target.name, layout)
      const existing = await lstatIfThere(this.#fs, target.path)
      if (existing?.isDirectory()) {
        const message = `name ${show(name)} is a folder's: choose another one`
        throw new IvcapError('invalid-argument', message, { argument: 'name' })
      }
      const linked = existing?.isSymbolicLink() ? await orAbsent(this.#realpath(target.path)) : undefined
      if (linked !== undefined && describe(root, linked) === undefined) throw outside(linked)
      return target
    })
  }

  /** Remembers that this id was returned to a caller. */
  handOut(id: Urn): void {
    if (!id.includes('%') || this.#handedOut.has(id)) return
    if (this.#handedOut.size >= HANDED_OUT) this.#handedOut.clear()
    this.#handedOut.add(id)
  }

  /**
   * The file of an id: the raw path if it exists; else the percent-decoded path, unless `isKnown` says that the raw one was an
   * artifact; else the file that has moved with the folder. Returns undefined if none exists, or if it lies elsewhere or is
   * hidden.
   */
  async ofId(
    id: Urn,
    { bases, isKnown }: { readonly bases: Bases; readonly isKnown: (id: string) => boolean },
  ): Promise<ArtifactPath | undefined> {
    const { path: root, layout } = await this.artifactFolder()
    for (const path of pathsOf(id, (raw) => this.#handedOut.has(raw) || isKnown(raw))) {
      const real = (await this.#realIfThere(path)) ?? (await this.#moved(path, bases))
      const target = real === undefined ? undefined : describe(root, real)
      if (target !== undefined && isArtifactPath(target.name.split('/'), layout)) return target
    }
    return undefined
  }

  /** True if the path lies in the folder, or did so before the folder was moved. The file need not exist. */
  contains(id: Urn, bases: Bases): boolean {
    const root = this.#realSync(this.dir)
    return pathsOf(id, () => false).some((path) => {
      const real = this.#realSync(path)
      if (describe(root, real) !== undefined || describe(this.dir, real) !== undefined) return true
      return this.#fs === hostFs && !existsNow(path) && bases.containsMoved(path, root)
    })
  }

  async #moved(path: string, bases: Bases): Promise<string | undefined> {
    const moved = await bases.movedPath(path)
    return moved === undefined ? undefined : await this.#realIfThere(moved)
  }

  async #realIfThere(path: string): Promise<string | undefined> {
    return await this.#realpath(path).catch((e: unknown) => {
      if (['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG', 'EACCES'].includes(errnoOf(e) ?? ''))
        return undefined
      throw e
    })
  }

  /** Resolves symbolic links as far as the path exists. */
  async #real(path: string): Promise<string> {
    const real = await orAbsent(this.#realpath(path))
    const parent = dirname(path)
    if (real !== undefined || parent === path) return real ?? path
    return join(await this.#real(parent), path.slice(parent.length))
  }

  #realSync(path: string): string {
    if (this.#fs !== hostFs) return resolve(path)
    try {
      return realpathSync.native(path)
    } catch {
      const parent = dirname(path)
      return parent === path ? path : join(this.#realSync(parent), path.slice(parent.length))
    }
  }

  async #realpath(path: string): Promise<string> {
    return String(await this.#fs.realpath(path))
  }
}

function pathsOf(id: Urn, isRaw: (id: string) => boolean): string[] {
  const raw = pathOfFileUrn(id)
  if (raw === undefined || raw.includes('\0')) return []
  if (!ENCODED.test(raw) || isRaw(id)) return [raw]
  const decoded = decode(raw)
  return decoded === raw || decoded.includes('\0') ? [raw] : [raw, decoded]
}

/** A path that may be percent-encoded: URLs allow no other characters. */
const ENCODED = /^(?:[\w\-.~!$&'()*+,;=:@/]|%[0-9a-f]{2})+$/i

function existsNow(path: string): boolean {
  try {
    lstatSync(path)
    return true
  } catch (e) {
    return errnoOf(e) !== 'ENOENT' && errnoOf(e) !== 'ENOTDIR'
  }
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

function describe(root: string, path: string): ArtifactPath | undefined {
  const below = relative(root, path)
  if (below === '' || below === '..' || below.startsWith(`..${sep}`) || resolve(root, below) !== path)
    return undefined
  return { id: fileUrn(path), path, name: below.split(sep).join('/') }
}
