import { randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isUrn, type Urn } from '@ivcap/core/driver'
import { type Configstore, FileStore } from '@tus/file-store'
import { Upload } from '@tus/server'
import * as v from 'valibot'

const UrnText = v.custom<Urn>(isUrn, 'not a URN')

/** What the bytes are to become. */
const Intent = v.object({
  name: v.exactOptional(v.string()),
  'mime-type': v.string(),
  policy: v.exactOptional(UrnText),
  collection: v.exactOptional(UrnText),
})
export type Intent = v.InferOutput<typeof Intent>

/** What is kept of an upload beside its bytes. */
const Note = v.object({
  id: v.pipe(v.string(), v.uuid()),
  size: v.exactOptional(v.pipe(v.number(), v.integer(), v.minValue(0))),
  metadata: Intent,
  creation_date: v.string(),
})
type Note = v.InferOutput<typeof Note>

export interface UploadState {
  readonly intent: Intent
  /** Bytes; absent while the client doesn't know it. */
  readonly size?: number
  /** Bytes that have arrived. */
  readonly offset: number
  readonly createdAt: string
}

/**
 * The uploads that aren't artifacts yet: for each a file `<uuid>` of the bytes that have arrived, and `<uuid>.json`, which
 * says what is to become of them. Both are there before the upload's address is handed out, and outlive the process.
 */
export class UploadFiles extends FileStore {
  readonly #notes: UploadNotes

  private constructor(directory: string, notes: UploadNotes) {
    super({ directory, configstore: notes })
    this.#notes = notes
  }

  static async open(directory: string): Promise<UploadFiles> {
    await mkdir(directory, { recursive: true })
    return new UploadFiles(directory, new UploadNotes(directory))
  }

  /** `size`: bytes, absent if not known yet. */
  async begin(uuid: string, intent: Intent, size: number | undefined): Promise<void> {
    await this.create(
      new Upload({ id: uuid, offset: 0, metadata: intent, ...(size !== undefined && { size }) }),
    )
  }

  async find(uuid: string): Promise<UploadState | undefined> {
    const note = await this.#notes.read(uuid)
    if (note === undefined) return undefined
    const offset = await stat(this.fileOf(uuid)).then(
      (file) => file.size,
      () => undefined, // it became an artifact just now
    )
    if (offset === undefined) return undefined
    const { metadata: intent, size, creation_date: createdAt } = note
    return { intent, ...(size !== undefined && { size }), offset, createdAt }
  }

  /** The note goes first: bytes without one are nobody's. */
  override async remove(uuid: string): Promise<void> {
    await this.#notes.delete(uuid)
    await rm(this.fileOf(uuid), { force: true })
  }

  fileOf(uuid: string): string {
    return join(this.directory, uuid)
  }

  /** The uuids of all uploads, once what a killed process left is cleared away: bytes without a note, half a note. */
  async recover(): Promise<readonly string[]> {
    const names = await readdir(this.directory)
    const notes = new Set(names.filter((name) => name.endsWith('.json')))
    const uploads = names.filter((name) => notes.has(`${name}.json`))
    for (const name of names) {
      if (uploads.includes(name) || uploads.includes(name.replace(/\.json$/, ''))) continue
      await rm(join(this.directory, name), { force: true, recursive: true })
    }
    return uploads
  }
}

/** The notes about uploads, each replaced as a whole: a process may be killed at any time. */
class UploadNotes implements Configstore<Upload> {
  constructor(private readonly directory: string) {}

  async read(uuid: string): Promise<Note | undefined> {
    try {
      return v.parse(Note, JSON.parse(await readFile(this.path(uuid), 'utf8')))
    } catch {
      return undefined
    }
  }

  async get(uuid: string): Promise<Upload | undefined> {
    const note = await this.read(uuid)
    return note && new Upload({ ...note, offset: 0 })
  }

  async set(uuid: string, { id, size, metadata, creation_date }: Upload): Promise<void> {
    const staged = join(this.directory, `${uuid}.${randomUUID()}`)
    await writeFile(staged, JSON.stringify({ id, size, metadata, creation_date }))
    await rename(staged, this.path(uuid))
  }

  async delete(uuid: string): Promise<void> {
    await rm(this.path(uuid), { force: true })
  }

  private path(uuid: string): string {
    return join(this.directory, `${uuid}.json`)
  }
}
