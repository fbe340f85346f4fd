import { randomUUID } from 'node:crypto'
import { lstat, readFile, rename, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isUrn, type Urn } from '@ivcap/core/driver'
import * as v from 'valibot'

const UrnText = v.custom<Urn>(isUrn, 'not a URN')

/** The metadata of the artifact that the upload will become. */
const UploadMetadata = v.object({
  name: v.exactOptional(v.string()),
  'mime-type': v.string(),
  policy: v.exactOptional(UrnText),
  collection: v.exactOptional(UrnText),
})
export type UploadMetadata = v.InferOutput<typeof UploadMetadata>

/** The description of an upload, stored beside its bytes. */
const UploadInfo = v.object({
  id: v.pipe(v.string(), v.uuid()),
  /** In bytes; absent until the client declares it. */
  size: v.exactOptional(v.pipe(v.number(), v.integer(), v.minValue(0))),
  metadata: UploadMetadata,
  creation_date: v.string(),
})
export type UploadInfo = v.InferOutput<typeof UploadInfo>

export const infoFile = (directory: string, uuid: string): string => join(directory, `${uuid}.json`)

/** Its existence marks an upload that has ended, whose files may be deleted. */
export const endedFile = (directory: string, uuid: string): string => join(directory, `${uuid}.ended`)

const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}'
/** A staged description has a second uuid. */
const UPLOAD_FILE_NAME = new RegExp(`^(${UUID})(\\.json|\\.ended|\\.${UUID})?$`)

export interface UploadFileName {
  readonly uuid: string
  readonly kind: 'bytes' | 'info' | 'ended' | 'staged'
}

/** Classifies a name in the folder of uploads. Returns undefined for a name that this server never writes. */
export function parseUploadFileName(name: string): UploadFileName | undefined {
  const [, uuid, suffix] = UPLOAD_FILE_NAME.exec(name) ?? []
  if (uuid === undefined) return undefined
  if (suffix === undefined) return { uuid, kind: 'bytes' }
  return { uuid, kind: suffix === '.json' ? 'info' : suffix === '.ended' ? 'ended' : 'staged' }
}

/** Returns undefined if there is no description, or if this version cannot read it. */
export async function readUploadInfo(directory: string, uuid: string): Promise<UploadInfo | undefined> {
  try {
    const path = infoFile(directory, uuid)
    // reading a pipe or a device may never end
    if (!(await lstat(path)).isFile()) return undefined
    return v.parse(UploadInfo, JSON.parse(await readFile(path, 'utf8')))
  } catch {
    return undefined
  }
}

/** Writes atomically: the process may be killed at any time, and the disk may be full. */
export async function writeUploadInfo(directory: string, info: UploadInfo): Promise<void> {
  const staged = join(directory, `${info.id}.${randomUUID()}`)
  try {
    await writeFile(staged, JSON.stringify(info), { flag: 'wx' })
    await rename(staged, infoFile(directory, info.id))
  } catch (error) {
    await removeFile(staged)
    throw error
  }
}

/** Renames the description to the mark of an ended upload. Atomic and idempotent. */
export async function markEnded(directory: string, uuid: string): Promise<void> {
  await ignoreMissing(rename(infoFile(directory, uuid), endedFile(directory, uuid)))
}

/** Idempotent. */
export async function removeFile(path: string): Promise<void> {
  await ignoreMissing(unlink(path))
}

async function ignoreMissing(done: Promise<void>): Promise<void> {
  await done.catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
}
