import { randomUUID } from 'node:crypto'
import { lstat, readFile, rename, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isUrn, type Urn } from '@ivcap/core/driver'
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
  /** Bytes; absent while the client doesn't know it. */
  size: v.exactOptional(v.pipe(v.number(), v.integer(), v.minValue(0))),
  metadata: Intent,
  creation_date: v.string(),
})
export type Note = v.InferOutput<typeof Note>

export const noteFile = (directory: string, uuid: string): string => join(directory, `${uuid}.json`)

/** Marks an upload that is over and whose files may be deleted. */
export const endedFile = (directory: string, uuid: string): string => join(directory, `${uuid}.ended`)

const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}'
/** A staged note has a second uuid. */
const OWN_NAME = new RegExp(`^(${UUID})(\\.json|\\.ended|\\.${UUID})?$`)

export interface OwnName {
  readonly uuid: string
  readonly kind: 'bytes' | 'note' | 'ended' | 'staged'
}

/** What a name in the folder of uploads stands for; undefined for a name that this server never writes. */
export function parseName(name: string): OwnName | undefined {
  const [, uuid, suffix] = OWN_NAME.exec(name) ?? []
  if (uuid === undefined) return undefined
  if (suffix === undefined) return { uuid, kind: 'bytes' }
  return { uuid, kind: suffix === '.json' ? 'note' : suffix === '.ended' ? 'ended' : 'staged' }
}

/** Undefined if there is none, or none that this version understands. */
export async function readNote(directory: string, uuid: string): Promise<Note | undefined> {
  try {
    const path = noteFile(directory, uuid)
    // a pipe or a device of that name would never end
    if (!(await lstat(path)).isFile()) return undefined
    return v.parse(Note, JSON.parse(await readFile(path, 'utf8')))
  } catch {
    return undefined
  }
}

/** Writes a note as a whole: the process may be killed at any time, and the disk may be full. */
export async function writeNote(directory: string, note: Note): Promise<void> {
  const staged = join(directory, `${note.id}.${randomUUID()}`)
  try {
    await writeFile(staged, JSON.stringify(note), { flag: 'wx' })
    await rename(staged, noteFile(directory, note.id))
  } catch (error) {
    await removeFile(staged)
    throw error
  }
}

/** Turns the note into the mark of an upload that is over, in one step. Idempotent. */
export async function endNote(directory: string, uuid: string): Promise<void> {
  await ignoreMissing(rename(noteFile(directory, uuid), endedFile(directory, uuid)))
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
