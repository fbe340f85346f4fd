import type { AspectStore } from '../ports/index.js'
import { addAspect } from './add.js'
import type { Engine } from './context.js'
import { findById, withEnd } from './find.js'
import { listAspects } from './list.js'
import { replaceAspect } from './replace.js'
import { retractAspect } from './retract.js'

/** Aspects over any BlobStore. Input is complete and valid, as the client in front of it sees to. */
export function blobAspects(engine: Engine): AspectStore {
  return {
    assert: (draft, mode, o) =>
      mode === 'add' ? addAspect(engine, draft, o) : replaceAspect(engine, draft, o),
    get: async (id, o) => {
      const { record, end } = await findById(engine, id, o)
      return withEnd(record, end)
    },
    list: (q, o) => listAspects(engine, q, o),
    retract: (id, o) => retractAspect(engine, id, o),
  }
}
