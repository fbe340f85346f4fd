import type { BigIntStats } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { IvcapError } from '../../model/errors.js'
import type { ArtifactRecord } from '../../model/records.js'
import { timestamp } from '../../model/time.js'
import { fileUrn, pathOfFileUrn, type Urn } from '../../model/urn.js'
import type { ByteSource, OpOptions } from '../../ports/index.js'
import { bytesSource } from '../../streams/bytes.js'
import { mimeOf } from '../../streams/mime.js'
import { resolveRange } from '../../streams/range.js'
import type { Runtime } from '../types.js'
import { hasTrueSize, readWhole, regularFile } from './file-source.js'
import { fileError, systemCode } from './fs-error.js'
import { createSha256 } from './hash.js'
import { unsizedSource } from './pipe-source.js'

/**
 * The files of this machine as read-only artifacts `urn:file:///…`. They are mounted inputs outside the folder of any store. Only
 * the client may use this, for its own user; a server must never resolve ids of other users with it.
 */
export const mountedFiles: Runtime['mountedFiles'] = {
  name: 'file',
  location: 'file:///',
  remembersUploads: false,
  async create() {
    throw readOnly('create', 'upload to a store')
  },
  async list() {
    throw readOnly('list', 'list a store')
  },
  async stat(id, { signal }) {
    signal?.throwIfAborted()
    const { path, found } = await fileOf(id)
    return (await measured(path, found, signal)).record
  },
  async read(id, { signal, range: asked, ifMatch }) {
    signal?.throwIfAborted()
    const { path, found } = await fileOf(id)
    const { record, source, size } = await measured(path, found, signal)
    if (ifMatch !== undefined && ifMatch !== record.etag) {
      throw new IvcapError(
        'precondition-failed',
        `${id} has changed: its etag is ${record.etag}, not ${ifMatch}`,
        {
          resource: id,
        },
      )
    }
    const range = resolveRange(asked, size)
    const body = source.open({ offset: range.start, end: range.end, ...(signal && { signal }) })
    return { record, range, body }
  },
  localPath: async (id) => (await fileOf(id)).path,
  contains: (id) => pathOfFileUrn(id) !== undefined,
}

/** Finds the file of a URN. The path may be raw, as IVCAP's Python client writes it, or percent-encoded; raw is tried first. */
async function fileOf(id: Urn): Promise<{ path: string; found: BigIntStats }> {
  const raw = pathOfFileUrn(id)
  if (raw === undefined) throw new IvcapError('not-found', `${id} is not a file: URN`, { resource: id })
  let failure: unknown
  for (const path of new Set([raw, decoded(raw)].map(native))) {
    try {
      const found = await stat(path, { bigint: true })
      if (found.isFile()) return { path, found }
      const what = found.isDirectory() ? 'a folder' : 'no regular file'
      throw new IvcapError('not-found', `${id} is ${what}: name a file`, { resource: id })
    } catch (error) {
      const isMissing = systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR'
      if (!isMissing || failure === undefined) failure = error
      if (!isMissing) break
    }
  }
  const missing = systemCode(failure) === 'ENOTDIR'
  if (missing) throw new IvcapError('not-found', `there is no file ${id}`, { resource: id, cause: failure })
  throw fileError(failure, "can't read", raw)
}

interface Measured {
  readonly record: ArtifactRecord
  readonly source: ByteSource
  readonly size: number
}

/** Returns the file with its true size. If stat does not tell it (/proc, /sys, some FUSE mounts), the file is read. */
async function measured(
  path: string,
  found: BigIntStats,
  signal: AbortSignal | undefined,
): Promise<Measured> {
  const stated = Number(found.size)
  if (await hasTrueSize(path, found))
    return { record: recordOf(path, found, stated), source: regularFile(path, found), size: stated }
  const o = { ...(signal && { signal }) }
  const bytes = await readWhole(path, o)
  const size = bytes?.byteLength ?? (await sizeByReading(path, o))
  const source = bytes === undefined ? regularFile(path, found, size) : bytesSource(bytes)
  return { record: recordOf(path, found, size, bytes), source, size }
}

async function sizeByReading(path: string, { signal }: OpOptions): Promise<number> {
  const reader = unsizedSource(path, 'id')
    .open({ ...(signal && { signal }) })
    .getReader()
  for (let size = 0; ; ) {
    const { done, value } = await reader.read()
    if (done) return size
    size += value.byteLength
  }
}

/** @param bytes the content, if stat does not describe it */
function recordOf(path: string, found: BigIntStats, size: number, bytes?: Uint8Array): ArtifactRecord {
  const version = bytes === undefined ? found.mtimeNs.toString(16) : sha256Of(bytes).slice(0, 32)
  const modified = timestamp(Number(found.mtimeNs / 1000n))
  return {
    id: fileUrn(path),
    name: basename(path),
    status: 'ready',
    size,
    mimeType: mimeOf(path) ?? 'application/octet-stream',
    etag: `"${found.ino.toString(16)}-${size.toString(16)}-${version}"`,
    createdAt: found.birthtimeNs > 0n ? timestamp(Number(found.birthtimeNs / 1000n)) : modified,
    lastModifiedAt: modified,
  }
}

function sha256Of(bytes: Uint8Array): string {
  const hasher = createSha256()
  hasher.update(bytes)
  return hasher.digest()
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

/** Windows: converts `/C:/data` to `C:/data`. */
function native(path: string): string {
  return process.platform === 'win32' ? path.replace(/^\/(?=[a-z]:)/i, '') : path
}

function readOnly(operation: string, instead: string): IvcapError {
  return new IvcapError('unsupported', `files outside a store can only be read: ${instead} instead`, {
    operation,
  })
}
