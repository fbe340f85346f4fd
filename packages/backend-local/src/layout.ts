import { join } from 'node:path'
import { IvcapError, isIvcapError, isJsonObject } from '@ivcap/core/driver'
import { parseJson, show } from '@ivcap/core/internal'
import { ARTIFACTS, ASPECTS, type Layout, OWN } from './artifacts/names.js'
import { entriesOf, type LocalFs, lstatIfThere, statIfThere } from './fs/local-fs.js'
import { moveTo } from './fs/move-to.js'
import { MAX_SMALL_FILE, readSmall } from './fs/read-small.js'
import { type Staging, writeText } from './fs/staging.js'

/** Must be increased when earlier versions of this package would misread the folder. */
const FORMAT = 1

/** @throws IvcapError `invalid-argument` */
export function checkLayout(layout: unknown): Layout | undefined {
  if (layout === undefined || layout === 'flat' || layout === 'artifacts') return layout
  const message = `localBackend: layout must be "flat" or "artifacts", not ${show(layout)}`
  throw new IvcapError('invalid-argument', message, { operation: 'localBackend', argument: 'layout' })
}

/** The layout of the folder: the one in `.ivcap/layout.json`, else the requested one, else the one that its entries suggest. */
export class FolderLayout {
  readonly #fs: LocalFs
  readonly #dir: string
  readonly #path: string
  readonly #staging: Staging
  readonly #requested: Layout | undefined
  #layout: Promise<Layout> | undefined

  constructor(parts: {
    readonly fs: LocalFs
    readonly dir: string
    readonly staging: Staging
    readonly requested: Layout | undefined
  }) {
    this.#fs = parts.fs
    this.#dir = parts.dir
    this.#path = join(parts.dir, OWN, 'layout.json')
    this.#staging = parts.staging
    this.#requested = parts.requested
  }

  /**
   * Returns the layout, which is determined once for each backend. Writes nothing.
   *
   * @throws IvcapError `unsupported` if a later version wrote the folder; `invalid-argument` if the requested layout differs from
   * the recorded one
   */
  get(): Promise<Layout> {
    this.#layout ??= this.#decide().catch((e: unknown) => {
      this.#layout = undefined
      throw e
    })
    return this.#layout
  }

  /**
   * Records the layout if the folder has no record. The folder `.ivcap/staging` must exist.
   *
   * @throws IvcapError `unavailable` if another process has recorded another layout since `get`
   */
  async record(share: (path: string) => Promise<void>): Promise<void> {
    const layout = await this.get()
    let recorded = await this.#recorded()
    try {
      if (recorded === undefined) {
        await this.#write(layout, share)
        recorded = await this.#recorded()
      }
    } catch (e) {
      // a folder without a record is treated as flat, unless it contains nothing outside artifacts/
      if (layout !== 'flat') throw e
    }
    if (recorded === undefined || recorded === layout) return
    this.#layout = undefined
    const message = `another process has recorded layout "${recorded}" in ${this.#path}, after this backend found "${layout}": try again`
    throw new IvcapError('unavailable', message, { resource: this.#path })
  }

  async #decide(): Promise<Layout> {
    const recorded = await this.#recorded()
    if (recorded === undefined)
      return this.#requested ?? ((await this.#looksLikePython()) ? 'artifacts' : 'flat')
    if (this.#requested === undefined || this.#requested === recorded) return recorded
    const message =
      `layout "${this.#requested}" was requested, but ${this.#path} records "${recorded}": ` +
      'leave the option out, or choose another folder'
    throw new IvcapError('invalid-argument', message, { argument: 'layout', resource: this.#path })
  }

  /** True if artifacts/ is a folder, and the only entry besides aspects/ and hidden ones. */
  async #looksLikePython(): Promise<boolean> {
    // if `baseDir` is a file, ArtifactPaths reports that
    const base = await statIfThere(this.#fs, this.#dir)
    if (!base?.isDirectory()) return false
    const folder = await lstatIfThere(this.#fs, join(this.#dir, ARTIFACTS))
    if (!folder?.isDirectory()) return false
    const entries = await entriesOf(this.#fs, this.#dir)
    return entries.every(({ name }) => name === ARTIFACTS || name === ASPECTS || name.startsWith('.'))
  }

  /** Returns undefined if there is no record, or an incomplete one. @throws IvcapError `unsupported` */
  async #recorded(): Promise<Layout | undefined> {
    const text = await readSmall(this.#fs, this.#path, MAX_SMALL_FILE)
    const record = typeof text === 'string' ? parseRecord(text) : undefined
    if (record === undefined) return undefined
    const { format = FORMAT, layout = 'flat' } = record
    if (format === FORMAT && (layout === 'flat' || layout === 'artifacts')) return layout
    const content = format === FORMAT ? `layout ${show(layout)}` : `format ${show(format)}`
    const message =
      `${this.#path} records ${content}, but this version reads only format ${FORMAT} with layout "flat" or "artifacts": ` +
      'install a later version of @ivcap/backend-local, or choose another folder'
    throw new IvcapError('unsupported', message, { argument: 'baseDir', resource: this.#path })
  }

  /** The first complete record wins. An incomplete one is replaced, an unreadable one stays. */
  async #write(layout: Layout, share: (path: string) => Promise<void>): Promise<void> {
    const fs = this.#fs
    const text = await readSmall(fs, this.#path, MAX_SMALL_FILE)
    if (typeof text === 'object') return
    const isIncomplete = text !== undefined
    const move = (staged: string, exclusive: boolean) =>
      moveTo(fs, staged, this.#path, { exclusive, fsync: false })
    await this.#staging.with(
      async (staged) => {
        await writeText(fs, staged, `${JSON.stringify({ format: FORMAT, layout })}\n`, false)
        await share(staged)
      },
      (staged) =>
        move(staged, !isIncomplete).catch((e: unknown) => {
          // without hard links the record cannot be created exclusively
          if (isIvcapError(e, 'unsupported')) return move(staged, false)
          throw e
        }),
    )
  }
}

function parseRecord(text: string): { readonly format?: unknown; readonly layout?: unknown } | undefined {
  const parsed = parseJson(text)
  return isJsonObject(parsed) && ('format' in parsed || 'layout' in parsed) ? parsed : undefined
}
