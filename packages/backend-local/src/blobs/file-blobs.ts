import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import {
  type BlobInfo,
  type BlobStore,
  IvcapError,
  type OpOptions,
  progressOf,
  resolveRange,
  timestamp,
} from '@ivcap/core/driver'
import { shareTurns } from '@ivcap/core/internal'
import { withFsErrors } from '../fs/fs-error.js'
import {
  errnoOf,
  etagOf,
  hostFs,
  type LocalFs,
  type LocalStat,
  modifiedNs,
  retryIfTooManyOpen,
} from '../fs/local-fs.js'
import { readPinned } from '../fs/pinned-file.js'
import { Staging } from '../fs/staging.js'
import { pathOfKey } from './keys.js'
import { blobsBelow } from './listing.js'
import { placeBlob, placeNow } from './put.js'

export interface FileBlobsOptions {
  /** The folder; created by the first write. */
  readonly dir: string
  /** @default this machine's files */
  readonly fs?: LocalFs | undefined
  /** Acknowledged blobs survive a loss of power. Slower. @default false */
  readonly fsync?: boolean | undefined
}

/**
 * Stores blobs as the files of a folder, for the engine and for tests: `<dir>/<key>`, with `%XX` for characters that some file
 * systems refuse. Puts are atomic: a link or a rename moves the file from the hidden folder `.staging` to its path. Creation is
 * exclusive on any file system with hard links. Unlike a bucket, a folder can't contain both `a` and `a/b`: the later put fails.
 */
export function fileBlobs(options: FileBlobsOptions): BlobStore {
  const { fs = hostFs, fsync = false } = options
  const dir = resolve(options.dir)
  const staging = new Staging(fs, join(dir, '.staging'))

  const inTurn = shareTurns()

  const begin = async (o: OpOptions) => {
    o.signal?.throwIfAborted()
    await staging.removeStaleFiles()
    await inTurn()
    o.signal?.throwIfAborted()
  }
  const find = async (key: string): Promise<LocalStat | undefined> => {
    const path = join(dir, pathOfKey(key))
    const stat = await withFsErrors('look up a blob', path, undefined, () => statIn(fs, dir, path))
    return stat?.isFile() ? stat : undefined
  }
  const info = async (key: string): Promise<BlobInfo> => {
    const stat = await find(key)
    if (stat !== undefined) return infoOf(key, stat)
    throw new IvcapError('not-found', `there is no blob ${key} in ${dir}`, { resource: key })
  }

  return {
    uri: pathToFileURL(dir).href,
    atomicCreate: 'always',

    async put(key, body, o) {
      const path = join(dir, pathOfKey(key))
      await begin(o)
      const progress = progressOf(o, body.size)
      const parts = { fs, fsync, staging, report: progress.report }
      const store = async () => {
        const made = await placeNow(path, body, o, parts)
        if (made !== undefined) return made
        // an early check; the exclusive link at the end decides
        if (o.mode === 'create' && (await find(key)) !== undefined) throw exists(key, dir)
        const placed = await placeBlob(path, body, o, parts)
        if (placed === undefined) throw exists(key, dir)
        return placed
      }
      const storeWithErrors = () => withFsErrors('store a blob', path, 'key', store)
      const stat = await (body.replayable ? retryIfTooManyOpen(fs, storeWithErrors, o) : storeWithErrors())
      progress.finish(Number(stat.size))
      return infoOf(key, stat)
    },

    async head(key, o) {
      await begin(o)
      return await info(key)
    },

    async get(key, o) {
      await begin(o)
      const current = await info(key)
      if (o.ifMatch !== undefined && o.ifMatch !== current.etag) {
        throw new IvcapError('precondition-failed', `blob ${key} has changed: its etag is ${current.etag}`, {
          resource: key,
        })
      }
      const range = resolveRange(o.range, current.size)
      return { info: current, range, body: readPinned(fs, join(dir, pathOfKey(key)), current.etag, range, o) }
    },

    async list({ limit, ...q }, o) {
      await begin(o)
      const page = async () => {
        const items: BlobInfo[] = []
        const prefixes: string[] = []
        const pageOf = (more: boolean) => ({ items, ...(q.delimiter && { prefixes }), more })
        for await (const { key, path } of blobsBelow(fs, dir, q, o)) {
          if (items.length + prefixes.length >= limit) return pageOf(true)
          if (path === undefined) {
            prefixes.push(key)
            continue
          }
          const stat = await statIn(fs, dir, path)
          // deleted since the folder was read
          if (stat?.isFile()) items.push(infoOf(key, stat))
        }
        return pageOf(false)
      }
      return await retryIfTooManyOpen(fs, () => withFsErrors('list blobs', dir, 'dir', page), o)
    },

    async delete(key, o) {
      const path = join(dir, pathOfKey(key))
      await begin(o)
      await withFsErrors('delete a blob', path, 'key', async () => {
        if (!(await statIn(fs, dir, path))?.isFile()) return
        await fs.unlink(path).catch((e: unknown) => {
          if (errnoOf(e) !== 'ENOENT') throw e
        })
        await removeEmpty(fs, dirname(path), dir)
      })
    },
  }
}

/** Returns undefined if the path does not exist, or if a parent of it is a file. */
async function statIn(fs: LocalFs, dir: string, path: string): Promise<LocalStat | undefined> {
  try {
    return await fs.lstat(path, { bigint: true })
  } catch (e) {
    const errno = errnoOf(e)
    if (errno === 'ENOENT') return undefined
    // if the store's own folder is a file, the call must fail
    if (errno === 'ENOTDIR' && (await fs.stat(dir, { bigint: true })).isDirectory()) return undefined
    throw e
  }
}

/** Removes empty parent folders. Stops at the first one that is not empty. */
async function removeEmpty(fs: LocalFs, from: string, root: string): Promise<void> {
  for (let dir = from; dir.length > root.length; dir = dirname(dir)) {
    try {
      await fs.rmdir(dir)
    } catch {
      return
    }
  }
}

const infoOf = (key: string, stat: LocalStat): BlobInfo => ({
  key,
  size: Number(stat.size),
  etag: etagOf(stat),
  lastModifiedAt: timestamp(Number((modifiedNs(stat) + 500n) / 1000n)),
})

const exists = (key: string, dir: string): IvcapError =>
  new IvcapError('already-exists', `there is a blob ${key} in ${dir} already`, { resource: key })
