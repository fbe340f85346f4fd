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
  infoFile,
  markEnded,
  parseUploadFileName,
  readUploadInfo,
  removeFile,
  type UploadFileName,
  type UploadInfo,
  type UploadMetadata,
  writeUploadInfo,
} from './upload-info.js'

export interface UploadState {
  readonly metadata: UploadMetadata
  /** In bytes; absent until the client declares it. */
  readonly size?: number
  /** Number of bytes received. */
  readonly offset: number
  readonly createdAt: string
}

/** Write buffer of each request, in bytes. */
const WRITE_BUFFER_BYTES = 1024 * 1024

interface UploadEntry {
  info: UploadInfo
  /** Bytes in the file; without those of a request that is still writing. */
  stored: number
  /** Time of the last received byte, in ms since 1970. */
  touchedAt: number
  sink?: { readonly bytesWritten: number }
  /** Resolves when the current write to the file has ended. */
  writing: Promise<unknown>
}

/**
 * Stores unfinished uploads. Each has a file `<uuid>` with the bytes received so far and a file `<uuid>.json` with its
 * `UploadInfo`. The latter is written before the client gets the upload's URL. Both survive the process.
 * Their state is cached in memory, because no other process writes to this folder.
 */
export class UploadFiles extends DataStore {
  override readonly extensions = ['creation-defer-length']
  readonly #uploads = new Map<string, UploadEntry>()
  readonly #digests = new Digests()

  private constructor(private readonly directory: string) {
    super()
  }

  /**
   * Recovers the uploads of an earlier process. Deletes only uploads that this server has marked as ended, and staged
   * copies of upload descriptions that exist. Other files (foreign ones, descriptions of another version) are kept and reported.
   */
  static async open(directory: string, report: (line: string) => void = () => {}): Promise<UploadFiles> {
    await mkdir(directory, { recursive: true })
    const files = new UploadFiles(directory)
    const names = await readdir(directory)
    const entries = names.map((name) => ({ name, fileName: parseUploadFileName(name) }))
    for (const { fileName } of entries)
      if (fileName?.kind === 'ended') await files.#removeEnded(fileName.uuid)
    for (const { fileName } of entries) if (fileName?.kind === 'info') await files.#recover(fileName.uuid)
    for (const { name, fileName } of entries) {
      const isKnown = fileName !== undefined && files.#uploads.has(fileName.uuid)
      if (isKnown && fileName.kind === 'staged') await removeFile(join(directory, name))
      else if (!isKnown && (await exists(join(directory, name))))
        report(`ignored in the folder of uploads: ${JSON.stringify(name)} ${reasonOf(fileName?.kind)}`)
    }
    return files
  }

  async #recover(uuid: string): Promise<void> {
    const info = await readUploadInfo(this.directory, uuid)
    if (info?.id !== uuid) return
    const bytes = await lstat(this.#fileOf(uuid)).catch(() => undefined)
    if (bytes !== undefined && !bytes.isFile()) return
    const { mtimeMs } = bytes ?? (await stat(infoFile(this.directory, uuid)))
    const entry = { info, stored: bytes?.size ?? 0, touchedAt: mtimeMs, writing: Promise.resolve() }
    this.#uploads.set(uuid, entry)
  }

  /** @param size In bytes; undefined if not known yet */
  async begin(uuid: string, metadata: UploadMetadata, size: number | undefined): Promise<void> {
    const now = new Date()
    const info = { id: uuid, metadata, creation_date: now.toISOString() }
    const entry = {
      info: { ...info, ...(size !== undefined && { size }) },
      stored: 0,
      touchedAt: now.getTime(),
      writing: Promise.resolve(),
    }
    await writeUploadInfo(this.directory, entry.info)
    this.#uploads.set(uuid, entry)
  }

  find(uuid: string): UploadState | undefined {
    const entry = this.#uploads.get(uuid)
    if (entry === undefined) return undefined
    const { metadata, size, creation_date: createdAt } = entry.info
    return { metadata, ...(size !== undefined && { size }), offset: offsetOf(entry), createdAt }
  }

  get count(): number {
    return this.#uploads.size
  }

  /** The uuids of all uploads. */
  all(): readonly string[] {
    return [...this.#uploads.keys()]
  }

  /** Whether the upload is incomplete and has received no byte since `since`, in ms since 1970. */
  isUntouched(uuid: string, since: number): boolean {
    const entry = this.#uploads.get(uuid)
    if (entry === undefined || entry.sink !== undefined || entry.touchedAt >= since) return false
    return entry.stored !== entry.info.size
  }

  /** Returns the bytes of a complete upload. */
  async source(uuid: string): Promise<ByteSource> {
    const entry = this.#entry(uuid)
    await entry.writing
    const size = entry.stored
    if (size === 0) return contentSource(new Uint8Array())
    const path = this.#fileOf(uuid)
    return {
      size,
      replayable: true,
      native: { kind: 'file', path, sealed: true },
      open: ({ offset = 0, end = size, signal, retainChunks } = {}) =>
        streamHandle(() => open(path), {
          start: Math.min(offset, size),
          end: Math.min(end, size),
          signal,
          allocate,
          retainChunks,
        }),
      sha256: () => this.#digests.digest(path, size),
    }
  }

  /** Marks the upload as ended before it deletes the files, so that the next process can finish an interrupted removal. */
  override async remove(uuid: string): Promise<void> {
    this.#uploads.delete(uuid)
    this.#digests.forget(this.#fileOf(uuid))
    await markEnded(this.directory, uuid)
    await this.#removeEnded(uuid)
  }

  async #removeEnded(uuid: string): Promise<void> {
    await removeFile(this.#fileOf(uuid))
    await removeFile(endedFile(this.directory, uuid))
  }

  override async getUpload(uuid: string): Promise<Upload> {
    const entry = this.#entry(uuid)
    // a disconnected request may still be writing: its bytes count
    await entry.writing
    const { id, size, metadata, creation_date } = entry.info
    return new Upload({
      id,
      metadata,
      creation_date,
      offset: entry.stored,
      ...(size !== undefined && { size }),
    })
  }

  /** Appends to the upload. Bytes received before a failure are kept. */
  override write(bytes: Readable, uuid: string, offset: number): Promise<number> {
    const entry = this.#entry(uuid)
    const written = entry.writing.then(() => {
      if (entry.stored !== offset) throw ERRORS.INVALID_OFFSET
      return this.#append(bytes, uuid, entry)
    })
    entry.writing = written.catch(() => {})
    return written
  }

  async #append(bytes: Readable, uuid: string, entry: UploadEntry): Promise<number> {
    const path = this.#fileOf(uuid)
    const sink = createWriteStream(path, { flags: 'a', highWaterMark: WRITE_BUFFER_BYTES })
    sink.on('drain', () => this.#digests.follow(path, offsetOf(entry)))
    entry.sink = sink
    try {
      await pipeline(bytes, sink)
    } finally {
      await closed(sink)
      entry.stored = await stat(path).then(
        ({ size }) => size,
        () => entry.stored,
      )
      entry.touchedAt = Date.now()
      delete entry.sink
    }
    return entry.stored
  }

  override async declareUploadLength(uuid: string, size: number): Promise<void> {
    const entry = this.#entry(uuid)
    const info = { ...entry.info, size }
    await writeUploadInfo(this.directory, info)
    entry.info = info
  }

  async close(): Promise<void> {
    await this.#digests.close()
  }

  #fileOf(uuid: string): string {
    return join(this.directory, uuid)
  }

  #entry(uuid: string): UploadEntry {
    const entry = this.#uploads.get(uuid)
    if (entry !== undefined) return entry
    throw ERRORS.FILE_NOT_FOUND
  }
}

const exists = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  )

function reasonOf(kind: UploadFileName['kind'] | undefined): string {
  if (kind === 'info')
    return 'is not an upload description that this version can read; it and its bytes are kept'
  return kind === undefined ? 'is not a file of this server' : 'does not belong to a known upload'
}

const offsetOf = ({ stored, sink }: UploadEntry): number => stored + (sink?.bytesWritten ?? 0)

/** A stream that failed may still be writing for a moment. */
async function closed(sink: WriteStream): Promise<void> {
  if (!sink.closed) await new Promise<void>((resolve) => sink.once('close', () => resolve()))
}
