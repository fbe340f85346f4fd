import { type LocalFileHandle, type LocalFs, orAbsent } from '../fs/local-fs.js'
import { moveTo } from '../fs/move-to.js'
import type { OwnFolder } from '../fs/own-folder.js'
import { APPEND, READ } from '../fs/read-small.js'
import type { Staging } from '../fs/staging.js'
import { decodeSegment, encodeSegment, HEAD, type Segment } from './index-segment.js'

/** Bytes read at a time. */
const BLOCK = 4 * 1024 * 1024

/** Which file was read, and how far. */
interface Place {
  readonly ino: number | bigint
  /** Its first bytes: a new file may have the number of an old one. */
  readonly first: string
  readonly end: number
  readonly segments: number
}

/**
 * The index's file: segments one after the other, appended by whoever learns something. A cache: all that is in it can be
 * learnt anew from the aspects' own files. What can't be read ends it; nothing here fails because the file is damaged.
 */
export class IndexFile {
  readonly #fs: LocalFs
  readonly #path: string
  readonly #staging: Staging
  readonly #own: OwnFolder
  #place: Place | undefined
  #damaged = false
  #turn: Promise<unknown> = Promise.resolve()

  constructor(fs: LocalFs, path: string, staging: Staging, own: OwnFolder) {
    this.#fs = fs
    this.#path = path
    this.#staging = staging
    this.#own = own
  }

  /** Whether there is one, when it was last looked at. */
  get exists(): boolean {
    return this.#place !== undefined
  }
  /** Whether it ends with what is no segment: what is appended to it is not read. */
  get damaged(): boolean {
    return this.#damaged
  }
  get segments(): number {
    return this.#place?.segments ?? 0
  }

  /** Forgets what was read: the next call reads it all. */
  reset(): void {
    this.#place = undefined
    this.#damaged = false
  }

  async remove(): Promise<void> {
    await this.#inTurn(() => orAbsent(this.#fs.unlink(this.#path)))
  }

  /** Takes what was appended since the last call; when the file is another one, or gone, says so and begins anew. */
  read(another: () => void, take: (segment: Segment) => void): Promise<void> {
    return this.#inTurn(async () => {
      const stat = await orAbsent(this.#fs.stat(this.#path, { bigint: true }))
      const known = this.#place
      if (stat !== undefined && known?.ino === stat.ino && known.end === Number(stat.size)) return
      // what is no regular file may make a reader wait
      const handle = stat?.isFile() ? await orAbsent(this.#fs.open(this.#path, READ)) : undefined
      if (handle === undefined) {
        if (known !== undefined) another()
        this.#place = undefined
        return
      }
      try {
        const { ino, size } = await handle.stat({ bigint: true })
        const first = await readFirst(handle)
        const isSame = known?.ino === ino && known.first === first && known.end <= Number(size)
        if (known !== undefined && !isSame) another()
        await this.#readOn(handle, isSame ? known : { ino, first, end: 0, segments: 0 }, Number(size), take)
      } finally {
        await handle.close()
      }
    })
  }

  /**
   * Appends in one call, so that what two processes append does not mix. What the segment says to be seen is left out unless
   * the file is as it was read: it would not be true of one that another process has put in its place.
   */
  append(segment: Segment): Promise<void> {
    return this.#inTurn(async () => {
      const handle = await this.#fs.open(this.#path, APPEND)
      try {
        const stat = await handle.stat({ bigint: true })
        if (!stat.isFile()) throw new Error(`${this.#path} is no regular file`)
        const { ino, size } = stat
        const known = this.#place
        const isKnown = known?.ino === ino && known.end === Number(size)
        const { seen, ...rest } = segment
        const bytes = encodeSegment(isKnown ? segment : rest)
        const { bytesWritten } = await handle.write(bytes, 0, bytes.byteLength, null)
        this.#damaged ||= bytesWritten < bytes.byteLength
        const end = Number(size) + bytes.byteLength
        // nobody else has appended: there is no need to read it
        if (isKnown && Number((await handle.stat({ bigint: true })).size) === end) {
          this.#place = { ...known, end, segments: known.segments + 1 }
        }
      } finally {
        await handle.close()
      }
    })
  }

  /** Puts another file in its place. */
  replace(segments: Iterable<Segment>): Promise<void> {
    return this.#inTurn(() =>
      this.#staging.with(
        async (staged) => {
          await this.#write(staged, segments)
          await this.#own.share(staged)
        },
        async (staged) => {
          const stat = await this.#fs.stat(staged, { bigint: true })
          const handle = await this.#fs.open(staged, 'r')
          const first = await readFirst(handle).finally(() => handle.close())
          await moveTo(this.#fs, staged, this.#path, { exclusive: false, fsync: false })
          this.#place = { ino: stat.ino, first, end: Number(stat.size), segments: 1 }
          this.#damaged = false
        },
      ),
    )
  }

  async #write(path: string, segments: Iterable<Segment>): Promise<void> {
    const handle = await this.#fs.open(path, 'wx')
    try {
      let end = 0
      for (const segment of segments) {
        const bytes = encodeSegment(segment)
        end += (await handle.write(bytes, 0, bytes.byteLength, end)).bytesWritten
      }
    } finally {
      await handle.close()
    }
  }

  async #readOn(
    handle: LocalFileHandle,
    place: Place,
    size: number,
    take: (segment: Segment) => void,
  ): Promise<void> {
    let { end, segments } = place
    let rest = new Uint8Array()
    let wanted = Math.min(BLOCK, size - end)
    for (;;) {
      const block = new Uint8Array(rest.byteLength + wanted)
      block.set(rest)
      const { bytesRead } = await handle.read(block, rest.byteLength, wanted, end + rest.byteLength)
      const bytes = block.subarray(0, rest.byteLength + bytesRead)
      let at = 0
      let next = decodeSegment(bytes, at)
      for (; next !== undefined && 'segment' in next; next = decodeSegment(bytes, at)) {
        take(next.segment)
        segments++
        at = next.end
      }
      end += at
      rest = bytes.subarray(at)
      this.#place = { ...place, end, segments }
      const left = size - end - rest.byteLength
      this.#damaged = next === undefined || (left <= 0 && rest.byteLength > 0)
      if (next === undefined || left <= 0 || bytesRead === 0) return
      wanted = Math.min(left, Math.max(BLOCK, next.needs))
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work)
    this.#turn = result.catch(() => {})
    return result
  }
}

async function readFirst(handle: LocalFileHandle): Promise<string> {
  const bytes = new Uint8Array(HEAD)
  const { bytesRead } = await handle.read(bytes, 0, HEAD, 0)
  return Buffer.from(bytes.subarray(0, bytesRead)).toString('hex')
}
