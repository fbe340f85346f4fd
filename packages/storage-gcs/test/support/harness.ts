import type { Harness } from '@ivcap/conformance'
import { freshPlace, type Place, type Server } from './gcs.js'

/** What opens as a view of a place holds connections. */
type Closable = { readonly close: () => unknown }

/** A harness for places in a bucket: each is a prefix of its own. */
export function inBucket<T extends Closable, C>(
  server: Server,
  at: (place: Place) => T,
  capabilities: C,
): Harness<T, C> {
  let place: Place = { ...server, bucket: 'none', prefix: '' }
  const views: T[] = []
  const reopen = async () => {
    const view = at(place)
    views.push(view)
    return view
  }
  return {
    capabilities,
    open: async () => {
      place = await freshPlace(server)
      return reopen()
    },
    reopen,
    close: async () => {
      for (const view of views.splice(0)) await view.close()
    },
  }
}
