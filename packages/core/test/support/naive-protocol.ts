import { blobAspects } from '../../src/engine/aspect-store.js'
import { listAll, type Protocol } from './race.js'

/** The way that suggests itself: write the new record, then retract those that it replaces. Two writers don't see each other. */
export const naiveProtocol: Protocol = (engine) => {
  const store = blobAspects(engine)
  return {
    ...store,
    async assert(draft, mode, o) {
      if (mode === 'add') return await store.assert(draft, 'add', o)
      const old = await listAll(store, { entity: draft.entity, schema: draft.schema })
      const record = await store.assert(draft, 'add', o)
      for (const { id } of old) await store.retract(id, o)
      return record
    },
  }
}
