import { createHash } from 'node:crypto'
import { writeAll } from '../fs/copy-stream.js'
import { type LocalFileHandle, type LocalFs, orAbsent, statIfThere } from '../fs/local-fs.js'
import { moveTo } from '../fs/move-to.js'
import type { OwnFolder } from '../fs/own-folder.js'
import { APPEND, READ } from '../fs/read-small.js'
import type { Staging } from '../fs/staging.js'

/** Maximum size of a batch, in bytes. A head with a larger number is damaged. */
const LONGEST = 64 * 1024 * 1024

/** The line before a batch. Its length is constant. */
const headOf = (lines: Uint8Array): string =>
  `{"sha256":"${digestOf(lines)}","bytes":${String(lines.byteLength).padStart(10)}}\n`
const digestOf = (lines: Uint8Array): string => createHash('sha256').update(lines).digest('hex').slice(0, 16)
const HEAD_BYTES = headOf(new Uint8Array()).length
const HEAD = /^\{"sha256":"([0-9a-f]{16})","bytes": *(\d+)\}\n$/

/** Which file was read, and how far. */
interface FilePosition {
  readonly ino: number | bigint
  /** The head of its first batch: a new file may have the inode number of an old one. */
  readonly first: string
  readonly end: number
  readonly batches: number
}

/**
 * A file of JSON lines to which many processes append. Lines are grouped into batches. A head line with the length and the digest
 * precedes each batch. Readers stop at a batch that is truncated or altered. The file is a cache: damage never causes an error.
 */
export class BatchFile {
  readonly #fs: LocalFs
  readonly #path: string
  readonly #staging: Staging
  readonly #own: OwnFolder
  #position: FilePosition | undefined
  #isDamaged = false
  #turn: Promise<unknown> = Promise.resolve()

  constructor(fs: LocalFs, path: string, staging: Staging, own: OwnFolder) {
    this.#fs = fs
    this.#path = path
    this.#staging = staging
    this.#own = own
  }

  /** True if the file existed when it was last read. */
  get exists(): boolean {
    return this.#position !== undefined
  }
  /** True if the file ends with an incomplete batch: readers stop there. */
  get isDamaged(): boolean {
    return this.#isDamaged
  }
  get batches(): number {
    return this.#position?.batches ?? 0
  }

  /** Forgets the position: the next call reads the file from its beginning. */
  reset(): void {
    this.#position = undefined
    this.#isDamaged = false
  }

  async remove(): Promise<void> {
    await this.#inTurn(() => orAbsent(this.#fs.unlink(this.#path)))
  }

  /** Reads the batches appended since the last call. Calls `restart` first if the file was replaced or deleted. */
  read(restart: () => void, take: (lines: Buffer) => void): Promise<void> {
    return this.#inTurn(async () => {
      const known = this.#position
      const stat = await statIfThere(this.#fs, this.#path)
      if (stat !== undefined && known?.ino === stat.ino && known.end === Number(stat.size)) return
      const handle = await this.#openFile()
      if (handle === undefined) {
        if (known !== undefined) restart()
        this.reset()
        return
      }
      try {
        const { ino, size } = await handle.stat({ bigint: true })
        const first = (await readAt(handle, 0, HEAD_BYTES)).toString('latin1')
        const isSame = known?.ino === ino && known.first === first && known.end <= Number(size)
        if (known !== undefined && !isSame) restart()
        let position = isSame ? known : { ino, first, end: 0, batches: 0 }
        for (;;) {
          this.#position = position
          this.#isDamaged = false
          if (position.end >= Number(size)) return
          const lines = await readBatch(handle, position.end, Number(size))
          this.#isDamaged = lines === undefined
          if (lines === undefined) return
          take(lines)
          const end = position.end + HEAD_BYTES + lines.byteLength
          position = { ...position, end, batches: position.batches + 1 }
        }
      } finally {
        await handle.close()
      }
    })
  }

  /** The lines of all batches, one batch after the other. */
  async *all(): AsyncGenerator<Buffer> {
    const handle = await this.#openFile()
    if (handle === undefined) return
    try {
      const size = Number((await handle.stat({ bigint: true })).size)
      for (let at = 0; at < size; ) {
        const lines = await readBatch(handle, at, size)
        if (lines === undefined) return
        yield lines
        at += HEAD_BYTES + lines.byteLength
      }
    } finally {
      await handle.close()
    }
  }

  /** Returns the number of batches; undefined if the file ends with bytes that are not a batch. */
  async count(): Promise<number | undefined> {
    const handle = await this.#openFile()
    if (handle === undefined) return 0
    try {
      const size = Number((await handle.stat({ bigint: true })).size)
      let count = 0
      for (let at = 0; at < size; count++) {
        const head = await readHead(handle, at, size)
        if (head === undefined) return undefined
        at += HEAD_BYTES + head.bytes
      }
      return count
    } finally {
      await handle.close()
    }
  }

  /** Returns undefined if the file does not exist or is not a regular file, because reading others may block. */
  async #openFile(): Promise<LocalFileHandle | undefined> {
    const stat = await statIfThere(this.#fs, this.#path)
    return stat?.isFile() ? await orAbsent(this.#fs.open(this.#path, READ)) : undefined
  }

  /**
   * Appends a batch in one call, so that the batches of two processes don't mix. `ifUnchanged` is added to the batch only if no
   * other process has changed the file since it was last read.
   */
  append(lines: string, ifUnchanged = ''): Promise<void> {
    return this.#inTurn(async () => {
      const handle = await this.#fs.open(this.#path, APPEND)
      try {
        const stat = await handle.stat({ bigint: true })
        if (!stat.isFile()) throw new Error(`${this.#path} is no regular file`)
        const known = this.#position
        const isKnown = known?.ino === stat.ino && known.end === Number(stat.size)
        const batch = encodeBatch(isKnown ? lines + ifUnchanged : lines)
        const { bytesWritten } = await handle.write(batch, 0, batch.byteLength, null)
        this.#isDamaged ||= bytesWritten < batch.byteLength
        const end = Number(stat.size) + batch.byteLength
        // no other process has appended: the batch need not be read back
        if (isKnown && Number((await handle.stat({ bigint: true })).size) === end)
          this.#position = { ...known, end, batches: known.batches + 1 }
        if (stat.size.toString() === '0') await this.#own.share(this.#path)
      } finally {
        await handle.close()
      }
    })
  }

  /** Replaces the file atomically. */
  replace(batches: Iterable<string> | AsyncIterable<string>): Promise<void> {
    return this.#inTurn(async () => {
      const staged = await this.#staging.create()
      try {
        const position = await this.#write(staged, batches)
        await this.#own.share(staged)
        await moveTo(this.#fs, staged, this.#path, { exclusive: false, fsync: false })
        this.#position = position
        this.#isDamaged = false
      } finally {
        await this.#staging.discard(staged)
      }
    })
  }

  async #write(path: string, batches: Iterable<string> | AsyncIterable<string>): Promise<FilePosition> {
    const handle = await this.#fs.open(path, 'wx')
    try {
      const { ino } = await handle.stat({ bigint: true })
      let position: FilePosition = { ino, first: '', end: 0, batches: 0 }
      for await (const lines of batches) {
        const batch = encodeBatch(lines)
        const end = await writeAll(handle, batch, position.end)
        const first = position.first || batch.toString('latin1', 0, HEAD_BYTES)
        position = { ino, first, end, batches: position.batches + 1 }
      }
      return position
    } finally {
      await handle.close()
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work)
    this.#turn = result.catch(() => {})
    return result
  }
}

function encodeBatch(lines: string): Buffer {
  const bytes = Buffer.from(lines)
  return Buffer.concat([Buffer.from(headOf(bytes)), bytes])
}

/** Returns the lines of the batch at `start`; undefined if the batch is missing, incomplete or altered. */
async function readBatch(handle: LocalFileHandle, start: number, size: number): Promise<Buffer | undefined> {
  const head = await readHead(handle, start, size)
  if (head === undefined) return undefined
  const lines = await readAt(handle, start + HEAD_BYTES, head.bytes)
  return digestOf(lines) === head.digest ? lines : undefined
}

async function readHead(handle: LocalFileHandle, start: number, size: number) {
  const text = (await readAt(handle, start, HEAD_BYTES)).toString('latin1')
  const [, digest, length] = HEAD.exec(text) ?? []
  const bytes = Number(length)
  if (digest === undefined || bytes > LONGEST || start + HEAD_BYTES + bytes > size) return undefined
  return { digest, bytes }
}

async function readAt(handle: LocalFileHandle, start: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length)
  let done = 0
  while (done < length) {
    const { bytesRead } = await handle.read(bytes, done, length - done, start + done)
    if (bytesRead === 0) break
    done += bytesRead
  }
  return bytes.subarray(0, done)
}
