import type { Harness } from '@ivcap/conformance'
import type { S3Options } from '../../src/index.js'
import { clearPlace, freshPlace, type Server } from './s3.js'

/** What opens as a view of a place holds connections. */
type Closable = { readonly close: () => unknown }

/** A harness for places in a bucket: each is a prefix of its own, emptied at the end. */
export function inBucket<T extends Closable, C>(
  server: Server,
  at: (place: S3Options) => T,
  capabilities: C,
): Harness<T, C> {
  let place: S3Options = freshPlace(server)
  const views: T[] = []
  const reopen = async () => {
    const view = at(place)
    views.push(view)
    return view
  }
  return {
    capabilities,
    open: () => {
      place = freshPlace(server)
      return reopen()
    },
    reopen,
    close: async () => {
      for (const view of views.splice(0)) await view.close()
      await clearPlace(place)
    },
  }
}
