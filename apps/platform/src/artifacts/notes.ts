import { randomUUID } from 'node:crypto'
import { readFile, rename, unlink, writeFile } from 'node:fs/promises'
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

/** Undefined where there is none, or half of one: its upload was never promised to anybody. */
export async function readNote(directory: string, uuid: string): Promise<Note | undefined> {
  try {
    return v.parse(Note, JSON.parse(await readFile(noteFile(directory, uuid), 'utf8')))
  } catch {
    return undefined
  }
}

export async function writeNote(directory: string, note: Note): Promise<void> {
  await writeFile(noteFile(directory, note.id), JSON.stringify(note), { flag: 'wx' })
}

/** As a whole: the process may be killed at any time. */
export async function replaceNote(directory: string, note: Note): Promise<void> {
  const staged = join(directory, `${note.id}.${randomUUID()}`)
  await writeFile(staged, JSON.stringify(note))
  await rename(staged, noteFile(directory, note.id))
}

/** Done already is done. */
export async function removeFile(path: string): Promise<void> {
  await unlink(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
}
