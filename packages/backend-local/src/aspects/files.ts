import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import {
  type AspectRecord,
  aspectUrn,
  IvcapError,
  isJsonObject,
  type JsonObject,
  type OpOptions,
  omitUndefined,
  type Timestamp,
} from '@ivcap/core/driver'
import {
  aspectUuid,
  decodeAspect,
  earlierEnd,
  encodeAspect,
  parseJson,
  parseTimestamp,
} from '@ivcap/core/internal'
import { ASPECTS, OWN } from '../artifacts/names.js'
import type { Bases } from '../bases.js'
import { errnoOf, type LocalFs, type LocalStat, lstatIfThere } from '../fs/local-fs.js'
import { moveTo } from '../fs/move-to.js'
import type { Omissions } from '../fs/omissions.js'
import type { OwnFolder } from '../fs/own-folder.js'
import { isDiskError, MAX_RECORD, MAX_SMALL_FILE, readSmall, type Unreadable } from '../fs/read-small.js'
import { placeFiles } from '../fs/small-files.js'
import { type Staging, writeText } from '../fs/staging.js'
import { setMember } from './set-member.js'

const FILE = /^([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\.json$/

/** The end of a record, in a file of its own, so that two processes never rewrite the record's file. */
export interface Closing {
  readonly validTo: Timestamp
  /** The uuid of the record that replaces it. The closing takes effect once that record exists. */
  readonly by?: string
}

/** The content of an aspect's file. */
export interface StoredAspect {
  readonly record: AspectRecord
  /** The uuid of the record that replaced it. The end in the file is in effect while that record exists. */
  readonly by?: string
}

/**
 * The files of aspects: `aspects/<uuid>.json` in the format of the Python client, and `.ivcap/closed/<uuid>` with their ends.
 * Creating `aspects/<uuid>.json` commits the record. Its `valid_to` is only a copy for other programs.
 */
export class AspectFolder {
  readonly #fs: LocalFs
  readonly #fsync: boolean
  readonly #staging: Staging
  readonly #own: OwnFolder
  readonly #bases: Bases
  readonly #omissions: Omissions
  readonly dir: string
  /** The folder of closings. */
  readonly closed: string

  constructor(parts: {
    readonly fs: LocalFs
    readonly dir: string
    readonly staging: Staging
    readonly fsync: boolean
    readonly own: OwnFolder
    readonly bases: Bases
    readonly omissions: Omissions
  }) {
    this.#fs = parts.fs
    this.#fsync = parts.fsync
    this.#staging = parts.staging
    this.#own = parts.own
    this.#bases = parts.bases
    this.#omissions = parts.omissions
    this.closed = join(parts.dir, OWN, 'closed')
    this.dir = join(parts.dir, ASPECTS)
  }

  path(uuid: string): string {
    return join(this.dir, `${uuid}.json`)
  }

  /** Returns the record in the file, or why it is unreadable. Returns undefined if the file does not exist. */
  async read(uuid: string, known?: LocalStat): Promise<StoredAspect | Unreadable | undefined> {
    const text = await readSmall(this.#fs, this.path(uuid), MAX_RECORD, known)
    if (text === undefined) return undefined
    return typeof text === 'string' ? this.#decode(uuid, text) : text
  }

  /** Returns the record with its URNs translated to the present path of the folder, or why it is not a record. */
  #decode(uuid: string, text: string): StoredAspect | Unreadable {
    const record = decodeAspect(text)
    if (typeof record === 'string') return { unreadable: `${record}, so it is not an aspect` }
    if (aspectUuid(record.id) !== uuid)
      return { unreadable: `its id is ${record.id}, which is not its file's name` }
    const entity = this.#bases.current(record.entity)
    const content = this.#bases.currentContent(completeContent(record))
    const by = text.includes(`"${REPLACED_BY}"`) ? successorIn(text) : undefined
    return { record: { ...record, id: aspectUrn(uuid), entity, content }, ...(by && { by }) }
  }

  async exists(uuid: string): Promise<boolean> {
    return (await lstatIfThere(this.#fs, this.path(uuid))) !== undefined
  }

  /**
   * Returns the end of a record from its closing. Reports an unreadable closing and returns undefined: the end may also be in the
   * record's own file.
   *
   * @param strict fails on a disk error instead
   */
  async closing(
    uuid: string,
    { strict = false }: { readonly strict?: boolean } = {},
  ): Promise<Closing | undefined> {
    const path = join(this.closed, uuid)
    const text = await readSmall(this.#fs, path, MAX_SMALL_FILE)
    if (strict && isDiskError(text)) throw text.cause
    if (typeof text === 'object')
      this.#omissions.report({ path, state: text.unreadable, why: text.unreadable })
    if (typeof text !== 'string') return undefined
    const closing = decodeClosing(text)
    if (closing === undefined)
      this.#omissions.report({ path, state: text, why: 'it is not the end of a record' })
    return closing
  }

  /** Replaces an earlier closing. The caller must hold the lock, and must know that the earlier closing is not in effect. */
  async close(uuid: string, closing: Closing): Promise<void> {
    const path = join(this.closed, uuid)
    const text = `${JSON.stringify(closing)}\n`
    try {
      await this.#replace(path, text, (staged) => this.#own.share(staged))
    } catch (e) {
      // another program has a folder at this path: it is renamed, not deleted
      if (!['EISDIR', 'ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(errnoOf(e) ?? '')) throw e
      await this.#fs.rename(path, `${path}.${randomUUID()}`)
      await this.#replace(path, text, (staged) => this.#own.share(staged))
    }
  }

  /** Deletes a closing whose operation failed. Never fails itself. */
  async reopen(uuid: string): Promise<void> {
    await this.#fs.unlink(join(this.closed, uuid)).catch(() => {})
  }

  /**
   * Writes new records. Each file is the commit of its record; the first record is committed last. All files are staged before
   * the step `before` runs; the step is undone if one of them cannot be moved to its path.
   */
  async add(
    records: readonly AspectRecord[],
    before?: { run(): Promise<void>; undo(): Promise<void> },
  ): Promise<void> {
    const files: { readonly staged: string; readonly path: string }[] = []
    try {
      for (const record of records) {
        const staged = await this.#staging.create()
        files.unshift({ staged, path: this.path(aspectUuid(record.id) ?? '') })
        await writeText(this.#fs, staged, textOf(record), this.#fsync)
      }
      try {
        await before?.run()
        for (const { staged, path } of files)
          await moveTo(this.#fs, staged, path, { exclusive: false, fsync: this.#fsync })
      } catch (e) {
        await before?.undo().catch(() => {})
        throw e
      }
    } finally {
      for (const { staged } of files) await this.#staging.discard(staged)
    }
  }

  /** Writes many new records. Each file is the commit of its record; calls `placed` for each once it exists. */
  async addMany(
    records: readonly AspectRecord[],
    o: OpOptions,
    placed: (record: AspectRecord, stat: LocalStat) => void,
  ): Promise<void> {
    const files = records.map((record) => ({
      path: this.path(aspectUuid(record.id) ?? ''),
      text: textOf(record),
    }))
    const parts = { fs: this.#fs, dir: this.dir, staging: this.#staging, fsync: this.#fsync }
    await placeFiles(files, o, parts, (from, stats) => {
      for (const [i, stat] of stats.entries()) {
        const record = records[from + i]
        if (record !== undefined) placed(record, stat)
      }
    })
  }

  /** Deletes a record whose operation failed. Never fails itself. */
  async withdraw(record: AspectRecord): Promise<void> {
    await this.#fs.unlink(this.path(aspectUuid(record.id) ?? '')).catch(() => {})
  }

  /**
   * Copies the end of a record into its file, where other programs read it. Nothing else in the file changes. If no other program
   * has changed the file, the uuid of the successor is added: in a copy of the folder without the successor, the end has no
   * effect.
   */
  async copyEnd(uuid: string, { validTo, by }: Closing): Promise<void> {
    const path = this.path(uuid)
    const old = await lstatIfThere(this.#fs, path)
    const text = old?.isFile() ? await readSmall(this.#fs, path, MAX_RECORD, old) : undefined
    const record = typeof text === 'string' ? decodeAspect(text) : undefined
    if (old === undefined || typeof text !== 'string' || typeof record !== 'object') return
    if (record.validTo !== undefined && record.validTo <= validTo) return
    const isOurs = text === encodeAspect(record)
    const ended = setMember(text, 'valid_to', validTo)
    const shown = ended !== undefined && isOurs && by ? setMember(ended, REPLACED_BY, by) : ended
    if (shown === undefined) return
    await this.#replace(path, shown, (staged) => this.#own.like(staged, old))
  }

  async #replace(path: string, text: string, adjust: (staged: string) => Promise<void>): Promise<void> {
    await this.#staging.with(
      async (staged) => {
        await writeText(this.#fs, staged, text, this.#fsync)
        await adjust(staged)
      },
      (staged) => moveTo(this.#fs, staged, path, { exclusive: false, fsync: this.#fsync }),
    )
  }
}

/** Returns the uuid in the name of an aspect's file; undefined for other names. */
export const uuidOfFile = (name: string): string | undefined => FILE.exec(name)?.[1]

/** Returns the record with the earlier end of its file and its closing. Ends whose successor does not exist are ignored. */
export async function endOf(
  { record, by }: StoredAspect,
  closing: Closing | undefined,
  isCommitted: (uuid: string) => Promise<boolean>,
): Promise<AspectRecord> {
  const { validTo: own, ...rest } = record
  const counts = closing !== undefined && (closing.by === undefined || (await isCommitted(closing.by)))
  // the end in the file is a copy of the closing's end, and depends on the same successor
  const successor =
    by ?? (closing !== undefined && !counts && closing.validTo === own ? closing.by : undefined)
  const ownCounts = own !== undefined && (successor === undefined || (await isCommitted(successor)))
  return omitUndefined({
    ...rest,
    validTo: earlierEnd(ownCounts ? own : undefined, counts ? closing.validTo : undefined),
  })
}

/** Adds `$schema` and removes `$entity`: other programs may omit the former and include the latter. */
function completeContent({ schema, content = {} }: AspectRecord): JsonObject {
  const { $schema: _, $entity: __, ...rest } = content
  return { $schema: schema, ...rest }
}

export function decodeClosing(text: string): Closing | undefined {
  const parsed = parseJson(text)
  if (!isJsonObject(parsed)) return undefined
  const validTo = typeof parsed['validTo'] === 'string' ? parseTimestamp(parsed['validTo']) : undefined
  if (validTo === undefined) return undefined
  return typeof parsed['by'] === 'string' ? { validTo, by: parsed['by'] } : { validTo }
}

/** A member that only this package writes, in addition to those of the Python client. */
const REPLACED_BY = 'replaced_by'

function successorIn(text: string): string | undefined {
  const parsed = parseJson(text.replace(/^\ufeff/, ''))
  const by = isJsonObject(parsed) ? parsed[REPLACED_BY] : undefined
  return typeof by === 'string' && FILE.test(`${by}.json`) ? by : undefined
}

/** @throws IvcapError `invalid-argument` if the record is too large to be read again */
function textOf(record: AspectRecord): string {
  const text = encodeAspect(record)
  const bytes = text.length > MAX_RECORD / 4 ? Buffer.byteLength(text) : text.length
  if (bytes <= MAX_RECORD) return text
  const limit = `${MAX_RECORD / 1024 / 1024} MiB`
  const message = `the aspect has ${bytes} bytes, and a record at most ${limit}: store the data as an artifact`
  throw new IvcapError('invalid-argument', message, { argument: 'content', resource: record.entity })
}
