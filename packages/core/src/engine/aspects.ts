import type { AspectRecord } from '../model/records.js'
import type { Timestamp } from '../model/time.js'
import type { AspectDraft, AspectStore, OpOptions } from '../ports.js'
import { addAspect } from './add.js'
import type { Engine } from './context.js'
import { findById, withEnd } from './find.js'
import { listAspects } from './list.js'
import { replaceAspect } from './replace.js'
import { retractAspect } from './retract.js'

/** Aspects over any BlobStore. Input is complete and valid, as the client in front of it sees to. */
export interface BlobAspects extends AspectStore {
  /** Adds a record that begins at a given time: an artifact's record begins when it says that it was created. */
  addAt(draft: AspectDraft, at: Timestamp, o: OpOptions): Promise<AspectRecord>
}

export function blobAspects(engine: Engine): BlobAspects {
  return {
    assert: (draft, mode, o) =>
      mode === 'add' ? addAspect(engine, draft, o) : replaceAspect(engine, draft, o),
    addAt: (draft, at, o) => addAspect(engine, draft, { ...o, at }),
    get: async (id, o) => {
      const { record, end } = await findById(engine, id, o)
      return withEnd(record, end)
    },
    list: (q, o) => listAspects(engine, q, o),
    retract: (id, o) => retractAspect(engine, id, o),
  }
}
