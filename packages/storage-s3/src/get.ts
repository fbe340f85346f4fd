import {
  type BlobContent,
  type BlobStore,
  isIvcapError,
  type OpOptions,
  opOptions,
  resolveRange,
} from '@ivcap/core/driver'
import { checkRange } from '@ivcap/core/internal'
import { bodyOf } from './body.js'
import { head } from './info.js'
import { changed, expectEtag, open } from './open.js'
import type { Place, Reading } from './place.js'

/** See `BlobStore.get`. The first request asks for one part, and tells how many more there are. */
export async function get(
  place: Place,
  key: string,
  options: Parameters<BlobStore['get']>[1],
): Promise<BlobContent> {
  const { range, ifMatch, memory } = options
  if (range !== undefined) checkRange(range)
  const o: Reading = { ...opOptions(options), ...(memory && { memory }) }
  const start = range?.start ?? 0
  const end = Math.min(range?.end ?? Number.POSITIVE_INFINITY, start + place.partSize)
  try {
    const opened = await open(place, key, { start, end, etag: ifMatch }, o)
    const resolved = resolveRange(range, opened.info.size)
    return { info: opened.info, range: resolved, body: bodyOf(place, opened, resolved, o) }
  } catch (error) {
    if (isIvcapError(error) && error.status === 416) return await beyondTheEnd(place, key, options, o)
    throw error
  }
}

/** There are no bytes at the start of the range: the blob is empty, or shorter than the caller believes. */
async function beyondTheEnd(
  place: Place,
  key: string,
  { range, ifMatch }: Parameters<BlobStore['get']>[1],
  o: OpOptions,
): Promise<BlobContent> {
  const { info } = await head(place, key, o)
  expectEtag(place, info, ifMatch)
  const resolved = resolveRange(range, info.size)
  if (resolved.end > 0) throw changed(place, info)
  return {
    info,
    range: resolved,
    body: new ReadableStream({ start: (c) => c.close() }, { highWaterMark: 0 }),
  }
}
