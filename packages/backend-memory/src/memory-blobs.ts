import {
  type BlobInfo,
  type BlobPage,
  type BlobStore,
  type ByteSource,
  IvcapError,
  type OpOptions,
  progressOf,
  resolveRange,
  timestamp,
} from '@ivcap/core/driver'
import { shareTurns, systemClock } from '@ivcap/core/internal'
import { memfs } from 'memfs'
import { SortedKeys } from './sorted-keys.js'

interface StoredBlob {
  readonly info: BlobInfo
  /** The file in the volume. Absent if the blob is empty. */
  readonly path?: string
}

/** Bytes of one chunk of a body. */
const CHUNK = 1 << 20
const SEGMENT = /^[\x20-\x7e]{1,255}$/

/**
 * Stores blobs in an in-memory file system. Each blob has its own file, which is written once: an overwritten blob gets a new
 * file. Every call is therefore atomic, and needs no staging and no locks. Keys and etags are stored outside the volume.
 */
export function memoryBlobs(): BlobStore {
  const { vol } = memfs()
  const blobs = new Map<string, StoredBlob>()
  const keys = new SortedKeys()
  let files = 0
  const inTurn = shareTurns()

  /** Waits for a turn. Fails if the caller aborts the call before or meanwhile. */
  const begin = async ({ signal }: OpOptions) => {
    signal?.throwIfAborted()
    await inTurn()
    signal?.throwIfAborted()
  }
  const find = (key: string): StoredBlob => {
    const blob = blobs.get(key)
    if (blob !== undefined) return blob
    throw new IvcapError('not-found', `There is no blob ${key}`, { resource: key })
  }
  const assertAbsent = (key: string) => {
    if (blobs.has(key))
      throw new IvcapError('already-exists', `There is a blob ${key} already`, { resource: key })
  }
  const removeFile = (blob: StoredBlob | undefined) => {
    if (blob?.path !== undefined) vol.unlinkSync(blob.path)
  }

  return {
    uri: 'memory:',
    atomicCreate: 'always',

    async put(key, source, o) {
      assertKey(key)
      await begin(o)
      if (o.mode === 'create') assertAbsent(key)
      const progress = progressOf(o, source.size)
      const chunks = await chunksOf(source, progress.report, o)
      o.signal?.throwIfAborted()
      // another call may have created it while the source was read
      if (o.mode === 'create') assertAbsent(key)
      const size = chunks.reduce((sum, { byteLength }) => sum + byteLength, 0)
      const etag = `"${++files}"`
      const info: BlobInfo = { key, size, etag, lastModifiedAt: timestamp(systemClock()) }
      const path = size === 0 ? undefined : `/${files}`
      if (path !== undefined) writeFile(vol, path, chunks, size)
      removeFile(blobs.get(key))
      blobs.set(key, { info, ...(path !== undefined && { path }) })
      keys.add(key)
      progress.finish(size)
      return info
    },

    async head(key, o) {
      await begin(o)
      return find(key).info
    },

    async get(key, o) {
      await begin(o)
      const { info, path } = find(key)
      if (o.ifMatch !== undefined && o.ifMatch !== info.etag) throw changed(key)
      const range = resolveRange(o.range, info.size)
      const read = path === undefined ? () => new Uint8Array() : readerOf(vol, key, path, range)
      return { info, range, body: streamOf(read, range, o.signal) }
    },

    async list(q, o) {
      await begin(o)
      return pageOf(keys, q, (key) => find(key).info)
    },

    async delete(key, o) {
      await begin(o)
      removeFile(blobs.get(key))
      blobs.delete(key)
      keys.delete(key)
    },
  }
}

type Volume = ReturnType<typeof memfs>['vol']

/** Reads all bytes of a source before any are written. */
async function chunksOf(
  { native, ...source }: ByteSource,
  report: (accepted: number) => void,
  { signal }: OpOptions,
): Promise<readonly Uint8Array[]> {
  if (native?.kind === 'bytes') return [native.bytes]
  const reader = source.open(signal === undefined ? {} : { signal }).getReader()
  const chunks: Uint8Array[] = []
  let accepted = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return chunks
    chunks.push(value)
    accepted += value.byteLength
    report(accepted)
  }
}

function writeFile(vol: Volume, path: string, chunks: readonly Uint8Array[], size: number): void {
  const [first] = chunks
  if (chunks.length === 1 && first !== undefined) {
    vol.writeFileSync(path, first)
    return
  }
  const fd = vol.openSync(path, 'wx')
  // the file takes its final size at once, so that it is not copied while it grows
  vol.ftruncateSync(fd, size)
  let position = 0
  for (const chunk of chunks) position += vol.writeSync(fd, chunk, 0, chunk.byteLength, position)
  vol.closeSync(fd)
}

/** Reads pieces of a file. Fails with `precondition-failed` once its blob is overwritten or deleted. */
function readerOf(
  vol: Volume,
  key: string,
  path: string,
  { start, end }: { readonly start: number; readonly end: number },
): (from: number, to: number) => Uint8Array {
  // a range of up to one chunk is read at once, so a later change does not affect it
  const whole = end - start <= CHUNK ? readPiece(vol, path, start, end) : undefined
  return (from, to) => {
    if (whole !== undefined) return whole
    if (!vol.existsSync(path)) throw changed(key)
    return readPiece(vol, path, from, to)
  }
}

function readPiece(vol: Volume, path: string, start: number, end: number): Uint8Array {
  const bytes = Buffer.allocUnsafe(end - start)
  const fd = vol.openSync(path, 'r')
  vol.readSync(fd, bytes, 0, end - start, start)
  vol.closeSync(fd)
  return bytes
}

function streamOf(
  read: (from: number, to: number) => Uint8Array,
  { start, end }: { readonly start: number; readonly end: number },
  signal: AbortSignal | undefined,
): ReadableStream<Uint8Array> {
  let position = start
  return new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        signal?.throwIfAborted()
        const to = Math.min(position + CHUNK, end)
        if (to > position) controller.enqueue(read(position, to))
        position = to
        if (position >= end) controller.close()
      },
    },
    { highWaterMark: 0 },
  )
}

function pageOf(
  keys: SortedKeys,
  { prefix, startAfter = '', limit, delimiter }: Parameters<BlobStore['list']>[0],
  infoOf: (key: string) => BlobInfo,
): BlobPage {
  const items: BlobInfo[] = []
  const prefixes: string[] = []
  const page = (more: boolean) => ({ items, ...(delimiter && { prefixes }), more })
  let key = startAfter > prefix ? keys.first(startAfter, true) : keys.first(prefix, startAfter === prefix)
  while (key?.startsWith(prefix)) {
    const folderEnd = delimiter === undefined ? 0 : key.indexOf(delimiter, prefix.length) + 1
    const folder = folderEnd > 0 ? key.slice(0, folderEnd) : undefined
    if (folder === undefined || folder > startAfter) {
      if (items.length + prefixes.length >= limit) return page(true)
      if (folder === undefined) items.push(infoOf(key))
      else prefixes.push(folder)
    }
    // DEL is greater than all characters of keys
    key = folder === undefined ? keys.first(key, true) : keys.first(`${folder}\x7f`)
  }
  return page(false)
}

function assertKey(key: string): void {
  if (key.length <= 1024 && key.split('/').every((segment) => SEGMENT.test(segment))) return
  const message = `${JSON.stringify(key)} is no blob key: use 1 to 1,024 characters of printable ASCII, in segments of 1 to 255 joined by "/"`
  throw new IvcapError('invalid-argument', message, { argument: 'key' })
}

function changed(key: string): IvcapError {
  return new IvcapError('precondition-failed', `Blob ${key} has been overwritten or deleted: read it again`, {
    resource: key,
  })
}
