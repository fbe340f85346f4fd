import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import {
  type AspectRecord,
  aspectUrn,
  aspectUuid,
  decodeAspect,
  earlierEnd,
  encodeAspect,
  IvcapError,
  isJsonObject,
  type JsonObject,
  type OpOptions,
  omitUndefined,
  parseTimestamp,
  type Timestamp,
} from '@ivcap/core/driver'
import { ASPECTS, OWN } from './artifact-names.js'
import type { Bases } from './folder/bases.js'
import type { LeftOuts } from './folder/left-outs.js'
import type { OwnFolder } from './folder/own-folder.js'
import { isDiskError, LARGEST_NOTE, LARGEST_RECORD, readSmall, type Unreadable } from './folder/read-small.js'
import { setMember } from './folder/set-member.js'
import { errnoOf, type LocalFs, type LocalStat, orAbsent } from './local-fs.js'
import { moveTo } from './placing.js'
import { placeFiles } from './small-files.js'
import { type Staging, writeText } from './staging.js'

const FILE = /^([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\.json$/

/** The end of a record, kept apart from it: the record's file is never written twice by two. */
export interface Closing {
  readonly validTo: Timestamp
  /** The uuid of the record that takes its place: the closing counts once that one exists. */
  readonly by?: string
}

/** What the file of an aspect tells. */
export interface StoredAspect {
  readonly record: AspectRecord
  /** The uuid of the record that took its place: the end in the file counts while that one exists. */
  readonly by?: string
}

/** Does its own part before or after the records appear; when it throws, so does what it is around. */
export type Around = (place: () => Promise<void>) => Promise<void>

/**
 * The files of aspects: `aspects/<uuid>.json` as the Python client writes them, and `.ivcap/closed/<uuid>` with their ends.
 * Creating the former is how a record comes to be; the `valid_to` in it is a copy for other programs to see.
 */
export class AspectFolder {
  readonly #fs: LocalFs
  readonly #fsync: boolean
  readonly #staging: Staging
  readonly #own: OwnFolder
  readonly #bases: Bases
  readonly #leftOuts: LeftOuts
  readonly dir: string
  /** Where the ends of records are kept. */
  readonly closed: string

  constructor(parts: {
    readonly fs: LocalFs
    readonly dir: string
    readonly staging: Staging
    readonly fsync: boolean
    readonly own: OwnFolder
    readonly bases: Bases
    readonly leftOuts: LeftOuts
  }) {
    this.#fs = parts.fs
    this.#fsync = parts.fsync
    this.#staging = parts.staging
    this.#own = parts.own
    this.#bases = parts.bases
    this.#leftOuts = parts.leftOuts
    this.closed = join(parts.dir, OWN, 'closed')
    this.dir = join(parts.dir, ASPECTS)
  }

  path(uuid: string): string {
    return join(this.dir, `${uuid}.json`)
  }

  /** The record as its file tells it; what is wrong with the file; undefined when there is none. */
  async read(uuid: string, known?: LocalStat): Promise<StoredAspect | Unreadable | undefined> {
    const text = await readSmall(this.#fs, this.path(uuid), LARGEST_RECORD, known)
    if (text === undefined) return undefined
    return typeof text === 'string' ? this.#decode(uuid, text) : text
  }

  /** The record that the text of its file tells, as of today; what is wrong with it. */
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
    return (await orAbsent(this.#fs.lstat(this.path(uuid), { bigint: true }))) !== undefined
  }

  /**
   * One that can not be read is told, and counts for nothing: the end may stand in the record's own file.
   *
   * @param strict fails on a disk error instead
   */
  async closing(
    uuid: string,
    { strict = false }: { readonly strict?: boolean } = {},
  ): Promise<Closing | undefined> {
    const path = join(this.closed, uuid)
    const text = await readSmall(this.#fs, path, LARGEST_NOTE)
    if (strict && isDiskError(text)) throw text.cause
    if (typeof text === 'object') this.#leftOuts.tell({ path, state: text.unreadable, why: text.unreadable })
    if (typeof text !== 'string') return undefined
    const closing = decodeClosing(text)
    if (closing === undefined)
      this.#leftOuts.tell({ path, state: text, why: 'it is not the end of a record' })
    return closing
  }

  /** Takes the place of an earlier closing: the caller holds the lock, and knows that one not to count. */
  async close(uuid: string, closing: Closing): Promise<void> {
    const path = join(this.closed, uuid)
    const text = `${JSON.stringify(closing)}\n`
    try {
      await this.#replace(path, text, (staged) => this.#own.share(staged))
    } catch (e) {
      // another program's folder in its place: it stays, under another name
      if (!['EISDIR', 'ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(errnoOf(e) ?? '')) throw e
      await this.#fs.rename(path, `${path}.${randomUUID()}`)
      await this.#replace(path, text, (staged) => this.#own.share(staged))
    }
  }

  /** Takes back a closing that nobody has been told of, if it can: the failure before it is the one to tell. */
  async reopen(uuid: string): Promise<void> {
    await this.#fs.unlink(join(this.closed, uuid)).catch(() => {})
  }

  /**
   * Puts files of new records in place, each the commit of its record, the first one last. `around` runs when all are written,
   * and is given what places them.
   */
  async add(records: readonly AspectRecord[], around: Around = (place) => place()): Promise<void> {
    const [first, ...rest] = records
    if (first === undefined) return await around(async () => {})
    await this.#staging.with(
      (staged) => writeText(this.#fs, staged, textOf(first), this.#fsync),
      (staged) =>
        this.add(rest, (placeRest) =>
          around(async () => {
            await placeRest()
            await this.#place(staged, aspectUuid(first.id) ?? '')
          }),
        ),
    )
  }

  /** Puts files of many new records in place, each the commit of its record; those that are there are told to `placed`. */
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

  /** Takes back a record that nobody has been told of, if it can. */
  async withdraw(record: AspectRecord): Promise<void> {
    await this.#fs.unlink(this.path(aspectUuid(record.id) ?? '')).catch(() => {})
  }

  /**
   * Writes the end of a record into its file too, where other programs look for it. Nothing else in the file changes; one that
   * only we wrote is told its successor as well, so that a copy of the folder that has missed that one does not lose both.
   */
  async showEnd(uuid: string, { validTo, by }: Closing): Promise<void> {
    const path = this.path(uuid)
    const old = await orAbsent(this.#fs.lstat(path, { bigint: true }))
    const text = old?.isFile() ? await readSmall(this.#fs, path, LARGEST_RECORD, old) : undefined
    const record = typeof text === 'string' ? decodeAspect(text) : undefined
    if (old === undefined || typeof text !== 'string' || typeof record !== 'object') return
    if (record.validTo !== undefined && record.validTo <= validTo) return
    const isOurs = text === encodeAspect(record)
    const ended = setMember(text, 'valid_to', validTo)
    const shown = ended !== undefined && isOurs && by ? setMember(ended, REPLACED_BY, by) : ended
    if (shown === undefined) return
    await this.#replace(path, shown, (staged) => this.#own.like(staged, old))
  }

  async #place(staged: string, uuid: string): Promise<void> {
    await moveTo(this.#fs, staged, this.path(uuid), { exclusive: false, fsync: this.#fsync })
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

/** The uuid of an aspect's file; undefined for a name that none has. */
export const uuidOfFile = (name: string): string | undefined => FILE.exec(name)?.[1]

/** When the record ends: the earlier of what its file and its closing say, as far as these count. */
export async function endOf(
  { record, by }: StoredAspect,
  closing: Closing | undefined,
  isCommitted: (uuid: string) => Promise<boolean>,
): Promise<AspectRecord> {
  const { validTo: own, ...rest } = record
  const counts = closing !== undefined && (closing.by === undefined || (await isCommitted(closing.by)))
  // the end in the file is a copy of the closing's, and counts as that does
  const successor =
    by ?? (closing !== undefined && !counts && closing.validTo === own ? closing.by : undefined)
  const ownCounts = own !== undefined && (successor === undefined || (await isCommitted(successor)))
  return omitUndefined({
    ...rest,
    validTo: earlierEnd(ownCounts ? own : undefined, counts ? closing.validTo : undefined),
  })
}

/** Other programs may leave the schema out of the content, and put the entity into it. */
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

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A member of ours beside those that the Python client knows. */
const REPLACED_BY = 'replaced_by'

function successorIn(text: string): string | undefined {
  const parsed = parseJson(text.replace(/^\ufeff/, ''))
  const by = isJsonObject(parsed) ? parsed[REPLACED_BY] : undefined
  return typeof by === 'string' && FILE.test(`${by}.json`) ? by : undefined
}

/** @throws IvcapError `invalid-argument` for a record that would be too large to be read again */
function textOf(record: AspectRecord): string {
  const text = encodeAspect(record)
  const bytes = text.length > LARGEST_RECORD / 4 ? Buffer.byteLength(text) : text.length
  if (bytes <= LARGEST_RECORD) return text
  const limit = `${LARGEST_RECORD / 1024 / 1024} MiB`
  const message = `the aspect has ${bytes} bytes, and a record at most ${limit}: store the data as an artifact`
  throw new IvcapError('invalid-argument', message, { argument: 'content', resource: record.entity })
}
