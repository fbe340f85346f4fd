import type { AspectStore, OpOptions } from '../ports/index.js'
import type { Engine } from './context.js'
import { listAspects } from './queries/list-aspects.js'
import { findById, withEnd } from './records/find-by-id.js'
import { addAspect } from './writes/add.js'
import { retractAspect } from './writes/retract.js'
import { updateAspect } from './writes/update.js'

/** Aspects over any BlobStore. Callers must pass complete and valid input, as the client does. */
export function blobAspects(engine: Engine): AspectStore {
  const reading = async <T>(work: Promise<T>, o: OpOptions): Promise<T> => {
    const [result] = await Promise.all([work, engine.layout.check(o)])
    return result
  }
  return {
    assert: (draft, mode, o) =>
      mode === 'add' ? addAspect(engine, draft, o) : updateAspect(engine, draft, o),
    get: async (id, o) => {
      const { record, end } = await reading(findById(engine, id, o), o)
      return withEnd(record, end)
    },
    list: (q, o) => reading(listAspects(engine, q, o), o),
    retract: (id, o) => retractAspect(engine, id, o),
  }
}
