import { join } from 'node:path'
import {
  type AspectRecord,
  aspectUrn,
  aspectUuid,
  decodeAspect,
  earlierEnd,
  encodeAspect,
  isJsonObject,
  type JsonObject,
  type OpOptions,
  omitUndefined,
  parseTimestamp,
  type Timestamp,
} from '@ivcap/core/driver'
import { ASPECTS, OWN } from './artifact-names.js'
import { type LocalFs, type LocalStat, orAbsent } from './local-fs.js'
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
  readonly #closed: string
  readonly dir: string

  constructor(fs: LocalFs, baseDir: string, staging: Staging, fsync: boolean) {
    this.#fs = fs
    this.#fsync = fsync
    this.#staging = staging
    this.#closed = join(baseDir, OWN, 'closed')
    this.dir = join(baseDir, ASPECTS)
  }

  path(uuid: string): string {
    return join(this.dir, `${uuid}.json`)
  }

  /** The record as its file tells it; what is wrong with the file; undefined when there is none. */
  async read(uuid: string): Promise<AspectRecord | string | undefined> {
    const text = await orAbsent(this.#fs.readFile(this.path(uuid), 'utf8'))
    return text === undefined ? undefined : this.decode(uuid, text)
  }

  /** The record that the text of its file tells; what is wrong with it. */
  decode(uuid: string, text: string): AspectRecord | string {
    const record = decodeAspect(text)
    if (typeof record === 'string') return record
    if (aspectUuid(record.id) !== uuid) return `its id is ${record.id}, which is not its file's name`
    return { ...record, id: aspectUrn(uuid), content: completeContent(record) }
  }

  async exists(uuid: string): Promise<boolean> {
    return (await orAbsent(this.#fs.lstat(this.path(uuid), { bigint: true }))) !== undefined
  }

  async closing(uuid: string): Promise<Closing | undefined> {
    const text = await orAbsent(this.#fs.readFile(join(this.#closed, uuid), 'utf8'))
    return text === undefined ? undefined : decodeClosing(text)
  }

  /** Takes the place of an earlier closing: the caller holds the lock, and knows that one not to count. */
  async close(uuid: string, closing: Closing): Promise<void> {
    await this.#replace(join(this.#closed, uuid), `${JSON.stringify(closing)}\n`)
  }

  /** Takes back a closing that nobody has been told of, if it can: the failure before it is the one to tell. */
  async reopen(uuid: string): Promise<void> {
    await this.#fs.unlink(join(this.#closed, uuid)).catch(() => {})
  }

  /**
   * Puts files of new records in place, each the commit of its record, the first one last. `around` runs when all are written,
   * and is given what places them.
   */
  async add(records: readonly AspectRecord[], around: Around = (place) => place()): Promise<void> {
    const [first, ...rest] = records
    if (first === undefined) return await around(async () => {})
    await this.#staging.with(
      (staged) => writeText(this.#fs, staged, encodeAspect(first), this.#fsync),
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
      text: encodeAspect(record),
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

  /** Writes the end of a record into its file too, where other programs look for it. The rest of the file stays as it is. */
  async showEnd(uuid: string, validTo: Timestamp): Promise<void> {
    const text = await orAbsent(this.#fs.readFile(this.path(uuid), 'utf8'))
    const record = text === undefined ? undefined : decodeAspect(text)
    if (text === undefined || typeof record !== 'object') return
    if (record.validTo !== undefined && record.validTo <= validTo) return
    await this.#replace(this.path(uuid), withEnd(text, record, validTo))
  }

  async #place(staged: string, uuid: string): Promise<void> {
    await moveTo(this.#fs, staged, this.path(uuid), { exclusive: false, fsync: this.#fsync })
  }

  async #replace(path: string, text: string): Promise<void> {
    await this.#staging.with(
      (staged) => writeText(this.#fs, staged, text, this.#fsync),
      (staged) => moveTo(this.#fs, staged, path, { exclusive: false, fsync: this.#fsync }),
    )
  }
}

/** The uuid of an aspect's file; undefined for a name that none has. */
export const uuidOfFile = (name: string): string | undefined => FILE.exec(name)?.[1]

/** When the record ends: the earlier of what its file and its closing say. */
export async function endOf(
  record: AspectRecord,
  closing: Closing | undefined,
  isCommitted: (uuid: string) => Promise<boolean>,
): Promise<AspectRecord> {
  const counts = closing !== undefined && (closing.by === undefined || (await isCommitted(closing.by)))
  const { validTo: own, ...rest } = record
  return omitUndefined({ ...rest, validTo: earlierEnd(own, counts ? closing.validTo : undefined) })
}

/** Other programs may leave the schema out of the content, and put the entity into it. */
function completeContent({ schema, content = {} }: AspectRecord): JsonObject {
  const { $schema: _, $entity: __, ...rest } = content
  return { $schema: schema, ...rest }
}

function decodeClosing(text: string): Closing | undefined {
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

/**
 * Changes the text and not the values, where that is possible: reading numbers and writing them again would round those
 * that only other languages hold.
 */
function withEnd(text: string, record: AspectRecord, validTo: Timestamp): string {
  const open = /"valid_to"\s*:\s*null/g
  if (text.match(open)?.length === 1) {
    const changed = text.replace(open, `"valid_to": ${JSON.stringify(validTo)}`)
    const result = decodeAspect(changed)
    if (typeof result === 'object' && result.validTo === validTo) return changed
  }
  return encodeAspect({ ...record, validTo })
}
