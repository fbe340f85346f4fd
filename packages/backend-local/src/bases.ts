import { join } from 'node:path'
import { isJsonObject, type JsonObject, type JsonValue } from '@ivcap/core/driver'
import { fileUrn, parseJson, pathOfFileUrn } from '@ivcap/core/internal'
import { ASPECTS, OWN } from './artifacts/names.js'
import { etagOf, type LocalFs, type LocalSyncFs, lstatIfThere, orAbsent } from './fs/local-fs.js'
import type { Omissions } from './fs/omissions.js'
import type { OwnFolder } from './fs/own-folder.js'
import { APPEND, MAX_SMALL_FILE, readSmall, readSmallNow, type Unreadable } from './fs/read-small.js'

/** URNs are translated down to this many levels of a content. */
const DEPTH = 32
/** Prefix of the URN of every file. */
const FILE_URN = 'urn:file:///'

/**
 * The former paths and the present path of the folder, one line of JSON each in `.ivcap/bases`. A URN below a former path means
 * the file below the present path, so a folder that was moved, copied or mounted elsewhere keeps its annotations.
 */
export class Bases {
  readonly #fs: LocalFs
  readonly #path: string
  readonly #caches: readonly string[]
  readonly #own: OwnFolder
  readonly #omissions: Omissions
  readonly #rootOf: () => Promise<string>
  #root: string | undefined
  /** Longest first. */
  #former: readonly string[] = []
  #isKnown = false
  #seen: string | undefined
  #remembering: Promise<void> | undefined

  constructor(parts: {
    readonly fs: LocalFs
    readonly dir: string
    /** Files of the index: another path may have filled them. */
    readonly caches: readonly string[]
    readonly own: OwnFolder
    readonly omissions: Omissions
    readonly root: () => Promise<string>
  }) {
    this.#fs = parts.fs
    this.#path = join(parts.dir, OWN, 'bases')
    this.#caches = parts.caches
    this.#own = parts.own
    this.#omissions = parts.omissions
    this.#rootOf = parts.root
  }

  /** False if no process has written the folder under its present path: its index may belong to another folder. */
  get isKnown(): boolean {
    return this.#isKnown
  }

  /** Reads the file again if it has changed. Returns true if URNs now stand for other files. */
  async refresh(): Promise<boolean> {
    const root = await this.#rootOf()
    const isMoved = this.#root !== undefined && this.#root !== root
    this.#root = root
    const stat = await lstatIfThere(this.#fs, this.#path).catch(() => undefined)
    const seen = stat === undefined ? '' : etagOf(stat)
    if (seen === this.#seen && !isMoved) return false
    const before = this.#former
    this.#seen = seen
    const text = stat === undefined ? undefined : await readSmall(this.#fs, this.#path, MAX_SMALL_FILE, stat)
    if (typeof text === 'object')
      this.#omissions.report({ path: this.#path, state: seen, why: text.unreadable })
    this.#learn(text, root)
    return isMoved || before.join('\n') !== this.#former.join('\n')
  }

  #learn(text: string | Unreadable | undefined, root: string): void {
    const bases = typeof text === 'string' ? basesIn(text) : []
    this.#isKnown = bases.includes(root)
    this.#former = bases.filter((base) => base !== root).sort((a, b) => b.length - a.length)
  }

  /** Records the present path. Without the record, a later move of the folder loses its annotations: reported as `fallback`. */
  async remember(): Promise<void> {
    await this.refresh()
    if (this.#isKnown) return
    this.#remembering ??= this.#append(await this.#rootOf()).finally(() => {
      this.#remembering = undefined
    })
    await this.#remembering
  }

  async #append(base: string): Promise<void> {
    try {
      await this.#own.ensure()
      for (const path of this.#caches) await orAbsent(this.#fs.unlink(path))
      const handle = await this.#fs.open(this.#path, APPEND)
      try {
        if (!(await handle.stat({ bigint: true })).isFile()) throw new Error('it is no regular file')
        const bytes = new TextEncoder().encode(`${JSON.stringify(base)}\n`)
        await handle.write(bytes, 0, bytes.byteLength, null)
      } finally {
        await handle.close()
      }
      await this.#own.share(this.#path)
    } catch (e) {
      this.#omissions.fallback(
        `the path of the folder could not be recorded: its annotations are lost when it is moved (${String(e)})`,
        this.#path,
      )
      return
    }
    await this.refresh()
  }

  /** Returns the URN of the same file below the present path. Returns other texts unchanged. */
  current(urn: string): string {
    if (this.#former.length === 0 || !urn.startsWith(FILE_URN) || this.#root === undefined) return urn
    const path = urn.slice(FILE_URN.length - 1)
    if (isBelow(this.#root, path)) return urn
    const base = this.#former.find((former) => isBelow(former, path))
    return base === undefined ? urn : fileUrn(`${this.#root}${path.slice(base.length)}`)
  }

  /** `content` with `current` applied to every text in it, down to 32 levels. */
  currentContent(content: JsonObject): JsonObject {
    return this.#former.length === 0 ? content : this.#translate(content, 0)
  }

  #translate<T extends JsonValue>(value: T, depth: number): T
  #translate(value: JsonValue, depth: number): JsonValue {
    if (typeof value === 'string') return this.current(value)
    if (typeof value !== 'object' || value === null || depth > DEPTH) return value
    if (Array.isArray(value)) return value.map((item: JsonValue) => this.#translate(item, depth + 1))
    if (!isJsonObject(value)) return value
    const entries = Object.entries(value)
    return Object.fromEntries(entries.map(([key, item]) => [key, this.#translate(item, depth + 1)]))
  }

  /** A key for locks, equal under every path of the folder. */
  keyOf(entity: string): string {
    const path = pathOfFileUrn(this.current(entity))
    if (path === undefined || this.#root === undefined || !isBelow(this.#root, path)) return entity
    return `file:${path.slice(this.#root.length)}`
  }

  /**
   * The present path of a file below a former base. Returns undefined for other paths, and if the former base holds a folder of
   * its own again.
   */
  async movedPath(path: string): Promise<string | undefined> {
    const moved = this.#moved(path)
    if (moved === undefined) return undefined
    for (const name of [OWN, ASPECTS]) {
      if (await this.#exists(join(moved.base, name))) return undefined
    }
    return moved.path
  }

  /** True if `movedPath` would return a path. Synchronous, because `contains` is. */
  containsMoved(path: string, root: string): boolean {
    const { sync } = this.#fs
    if (sync === undefined) return false
    if (this.#seen === undefined) {
      this.#root = root
      this.#learn(readSmallNow(sync, this.#path, MAX_SMALL_FILE), root)
    }
    const moved = this.#moved(path)
    return moved !== undefined && ![OWN, ASPECTS].some((name) => isThere(sync, join(moved.base, name)))
  }

  #moved(path: string): { readonly base: string; readonly path: string } | undefined {
    const root = this.#root
    if (root === undefined || isBelow(root, path)) return undefined
    const base = this.#former.find((former) => isBelow(former, path))
    return base === undefined ? undefined : { base, path: `${root}${path.slice(base.length)}` }
  }

  async #exists(path: string): Promise<boolean> {
    return (await lstatIfThere(this.#fs, path).catch(() => undefined)) !== undefined
  }
}

const isBelow = (base: string, path: string): boolean =>
  path.length > base.length && path.startsWith(base) && path[base.length] === '/'

function isThere(sync: LocalSyncFs, path: string): boolean {
  try {
    return sync.lstatSync(path, { bigint: true, throwIfNoEntry: false }) !== undefined
  } catch {
    return false
  }
}

/** Ignores lines that are not an absolute path: another process may still be writing the last line. */
function basesIn(text: string): string[] {
  const bases = new Set<string>()
  for (const line of text.split('\n')) {
    const base = parseJson(line)
    if (typeof base === 'string' && base.startsWith('/') && base.length > 1) bases.add(base)
  }
  return [...bases]
}
