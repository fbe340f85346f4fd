import type { AspectStore } from '../ports/index.js'
import type { Engine } from './context.js'
import { listAspects } from './queries/list-aspects.js'
import { findById, withEnd } from './records/find-by-id.js'
import { addAspect } from './writes/add.js'
import { retractAspect } from './writes/retract.js'
import { replaceAspect } from './writes/update.js'

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
