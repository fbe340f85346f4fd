import { createWriteStream, type WriteStream } from 'node:fs'
import { lstat, mkdir, open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type ByteSource, contentSource } from '@ivcap/core/driver'
import { allocate, streamHandle } from '@ivcap/core/internal'
import { DataStore, ERRORS, Upload } from '@tus/server'
import { Digests } from './digests.js'
import {
  endedFile,
  endNote,
  type Intent,
  type Note,
  noteFile,
  type OwnName,
  parseName,
  readNote,
  removeFile,
  writeNote,
} from './notes.js'

export interface UploadState {
  readonly intent: Intent
  /** Bytes; absent while the client doesn't know it. */
  readonly size?: number
  /** Bytes that have arrived. */
  readonly offset: number
  readonly createdAt: string
}

/** Bytes that may wait for the disk, for each request. */
const WAITING = 1024 * 1024

interface Held {
  note: Note
  /** Bytes in the file; while a request writes, those before it. */
  stored: number
  /** When bytes came last, in ms since 1970. */
  touchedAt: number
  sink?: { readonly bytesWritten: number }
  /** Resolves when nobody writes to the file any more. */
  writing: Promise<unknown>
}

/**
 * The uploads that aren't artifacts yet: for each a file `<uuid>` of the bytes that have arrived, and `<uuid>.json`, which
 * says what is to become of them. The latter is there before the upload's address is handed out, and both outlive the process.
 * What the files tell is held in memory, since nobody else writes to this folder.
 */
export class UploadFiles extends DataStore {
  override readonly extensions = ['creation-defer-length']
  readonly #uploads = new Map<string, Held>()
  readonly #digests = new Digests()

  private constructor(private readonly directory: string) {
    super()
  }

  /**
   * Takes up what an earlier process left. Deletes only what this server itself has marked as over, and staged copies of
   * notes that are there. Everything else that is not understood (files of others, notes of another version) stays and is
   * reported.
   */
  static async open(directory: string, report: (line: string) => void = () => {}): Promise<UploadFiles> {
    await mkdir(directory, { recursive: true })
    const files = new UploadFiles(directory)
    const names = await readdir(directory)
    const entries = names.map((name) => ({ name, own: parseName(name) }))
    for (const { own } of entries) if (own?.kind === 'ended') await files.#removeEnded(own.uuid)
    for (const { own } of entries) if (own?.kind === 'note') await files.#recover(own.uuid)
    for (const { name, own } of entries) {
      const isKnown = own !== undefined && files.#uploads.has(own.uuid)
      if (isKnown && own.kind === 'staged') await removeFile(join(directory, name))
      else if (!isKnown && (await exists(join(directory, name))))
        report(`ignored in the folder of uploads: ${JSON.stringify(name)} ${reasonOf(own?.kind)}`)
    }
    return files
  }

  async #recover(uuid: string): Promise<void> {
    const note = await readNote(this.directory, uuid)
    if (note?.id !== uuid) return
    const bytes = await lstat(this.#fileOf(uuid)).catch(() => undefined)
    if (bytes !== undefined && !bytes.isFile()) return
    const { mtimeMs } = bytes ?? (await stat(noteFile(this.directory, uuid)))
    const held = { note, stored: bytes?.size ?? 0, touchedAt: mtimeMs, writing: Promise.resolve() }
    this.#uploads.set(uuid, held)
  }

  /** `size`: bytes, absent if not known yet. */
  async begin(uuid: string, intent: Intent, size: number | undefined): Promise<void> {
    const now = new Date()
    const note = { id: uuid, metadata: intent, creation_date: now.toISOString() }
    const held = {
      note: { ...note, ...(size !== undefined && { size }) },
      stored: 0,
      touchedAt: now.getTime(),
      writing: Promise.resolve(),
    }
    await writeNote(this.directory, held.note)
    this.#uploads.set(uuid, held)
  }

  find(uuid: string): UploadState | undefined {
    const held = this.#uploads.get(uuid)
    if (held === undefined) return undefined
    const { metadata: intent, size, creation_date: createdAt } = held.note
    return { intent, ...(size !== undefined && { size }), offset: offsetOf(held), createdAt }
  }

  get count(): number {
    return this.#uploads.size
  }

  /** The uuids of all uploads. */
  all(): readonly string[] {
    return [...this.#uploads.keys()]
  }

  /** Whether bytes are missing of which nobody has sent any since then, in ms since 1970. */
  isUntouched(uuid: string, since: number): boolean {
    const held = this.#uploads.get(uuid)
    if (held === undefined || held.sink !== undefined || held.touchedAt >= since) return false
    return held.stored !== held.note.size
  }

  /** The bytes of an upload that are all there. */
  async source(uuid: string): Promise<ByteSource> {
    const held = this.#held(uuid)
    await held.writing
    const size = held.stored
    if (size === 0) return contentSource(new Uint8Array())
    const path = this.#fileOf(uuid)
    return {
      size,
      replayable: true,
      native: { kind: 'file', path, sealed: true },
      open: ({ offset = 0, end = size, signal, keep } = {}) =>
        streamHandle(() => open(path), {
          start: Math.min(offset, size),
          end: Math.min(end, size),
          signal,
          allocate,
          keep,
        }),
      sha256: () => this.#digests.digest(path, size),
    }
  }

  /** In an order in which a process that is killed half way leaves a mark for the next one to go on. */
  override async remove(uuid: string): Promise<void> {
    this.#uploads.delete(uuid)
    this.#digests.forget(this.#fileOf(uuid))
    await endNote(this.directory, uuid)
    await this.#removeEnded(uuid)
  }

  async #removeEnded(uuid: string): Promise<void> {
    await removeFile(this.#fileOf(uuid))
    await removeFile(endedFile(this.directory, uuid))
  }

  override async getUpload(uuid: string): Promise<Upload> {
    const held = this.#held(uuid)
    // one that is cut off may still be writing: its bytes count
    await held.writing
    const { id, size, metadata, creation_date } = held.note
    return new Upload({
      id,
      metadata,
      creation_date,
      offset: held.stored,
      ...(size !== undefined && { size }),
    })
  }

  /** Appends; what had come before a failure stays. */
  override write(bytes: Readable, uuid: string, offset: number): Promise<number> {
    const held = this.#held(uuid)
    const written = held.writing.then(() => {
      if (held.stored !== offset) throw ERRORS.INVALID_OFFSET
      return this.#append(bytes, uuid, held)
    })
    held.writing = written.catch(() => {})
    return written
  }

  async #append(bytes: Readable, uuid: string, held: Held): Promise<number> {
    const path = this.#fileOf(uuid)
    const sink = createWriteStream(path, { flags: 'a', highWaterMark: WAITING })
    sink.on('drain', () => this.#digests.follow(path, offsetOf(held)))
    held.sink = sink
    try {
      await pipeline(bytes, sink)
    } finally {
      await closed(sink)
      held.stored = await stat(path).then(
        ({ size }) => size,
        () => held.stored,
      )
      held.touchedAt = Date.now()
      delete held.sink
    }
    return held.stored
  }

  override async declareUploadLength(uuid: string, size: number): Promise<void> {
    const held = this.#held(uuid)
    const note = { ...held.note, size }
    await writeNote(this.directory, note)
    held.note = note
  }

  async close(): Promise<void> {
    await this.#digests.close()
  }

  #fileOf(uuid: string): string {
    return join(this.directory, uuid)
  }

  #held(uuid: string): Held {
    const held = this.#uploads.get(uuid)
    if (held !== undefined) return held
    throw ERRORS.FILE_NOT_FOUND
  }
}

const exists = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  )

function reasonOf(kind: OwnName['kind'] | undefined): string {
  if (kind === 'note') return 'is no note that this version understands; its bytes stay, too'
  return kind === undefined ? 'is not a file of this server' : 'belongs to no upload that is known'
}

const offsetOf = ({ stored, sink }: Held): number => stored + (sink?.bytesWritten ?? 0)

/** A stream that failed may still be writing for a moment. */
async function closed(sink: WriteStream): Promise<void> {
  if (!sink.closed) await new Promise<void>((resolve) => sink.once('close', () => resolve()))
}
