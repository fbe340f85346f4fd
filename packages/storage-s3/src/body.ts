import { closed, fillPart, parallelParts } from '@ivcap/core/internal'
import { askOnce, budgetOf } from './ask.js'
import { explain } from './errors.js'
import { type Opened, open } from './open.js'
import type { Place, Reading } from './place.js'

/** The bytes of a range, in order: see `parallelParts`. All requests are for the version of the first. */
export function bodyOf(
  place: Place,
  opened: Opened,
  range: { readonly start: number; readonly end: number },
  o: Reading,
): ReadableStream<Uint8Array> {
  const { partSize, concurrency } = place
  const { signal } = o
  const { key, etag } = opened.info
  const download = { received: 0 }
  return parallelParts({
    ...range,
    ...(signal && { signal }),
    firstEnd: opened.end,
    partSize,
    concurrency,
    receive: (part, signal) =>
      fillPart(part, {
        body: part.start === opened.start ? opened.body : undefined,
        open: async (missing) =>
          (await open(place, key, { ...missing, etag }, { ...o, signal }, askOnce)).body,
        explain: (error) => explain(error, { doing: 'read', key }, place),
        ...budgetOf(place, o),
        key,
        signal,
        download,
      }),
    close: () => closed(opened.body),
  })
}
