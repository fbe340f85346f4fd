import { Ivcap } from '../../src/client/ivcap.js'
import { blobBackend } from '../../src/engine/index.js'
import type { IvcapEvent } from '../../src/model/events.js'
import type { Clock } from '../../src/model/time.js'
import type { BlobStore } from '../../src/ports/index.js'
import { Blobs, modelBlobs } from './model-blobs.js'

export const TAG = 'urn:test:schema:tag.1'
export const NOTE = 'urn:test:schema:note.1'

/** An engine over blobs that a test damages, and what it told. Each `view` is a process of its own. */
export function damageable(change: (store: BlobStore) => BlobStore = (store) => store) {
  const blobs = new Blobs()
  const events: IvcapEvent[] = []
  const onEvent = (event: IvcapEvent) => void events.push(event)
  const view = (clock?: Clock) =>
    new Ivcap(blobBackend(change(modelBlobs(blobs)), { clock, onEvent }), { stateDir: false })
  const write = (key: string, text: string | Uint8Array) =>
    blobs.write(key, typeof text === 'string' ? new TextEncoder().encode(text) : text, 'overwrite')
  return { blobs, events, view, write, ivcap: view() }
}

/** The key of an aspect's record: added ones are below `id/`, those of updates in the log. */
export function recordKey(blobs: Blobs, id: string): string {
  for (const key of [...blobs.keys('id/'), ...blobs.keys('e/')]) {
    if (new TextDecoder().decode(blobs.read(key).bytes).includes(`"id": "${id}"`)) return key
  }
  throw new Error(`no record of ${id}`)
}
