import { IvcapError, type OpOptions } from '@ivcap/core/driver'
import { closed, fillPart, parallelParts } from '@ivcap/core/internal'
import { askOnce, budgetOf } from './ask.js'
import { Crc32c } from './crc32c.js'
import { explain } from './errors.js'
import { head } from './info.js'
import { type Opened, open } from './open.js'
import type { Place } from './place.js'
import type { Sending } from './transport.js'

/**
 * The bytes of a range, in order: see `parallelParts`. All requests are for the generation of the first. The checksum of a
 * whole is checked.
 */
export function bodyOf(
  place: Place,
  opened: Opened,
  range: { readonly start: number; readonly end: number },
  o: Sending,
): ReadableStream<Uint8Array> {
  const { partSize, concurrency } = place
  const { signal } = o
  const { key, etag } = opened.info
  const download = { received: 0 }
  const whole = range.start === 0 && range.end === opened.info.size
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
          (await open(place, key, { ...missing, of: etag }, { ...o, signal }, askOnce)).body,
        explain: (error) => explain(error, { doing: 'read', key }, place),
        ...budgetOf(place, o),
        key,
        signal,
        download,
      }),
    ...(whole && { inspect: checker(place, opened, o) }),
    close: () => closed(opened.body),
  })
}

/** Fails before the last bytes are handed out. */
function checker(place: Place, opened: Opened, o: OpOptions) {
  const { key, etag } = opened.info
  const crc = new Crc32c()
  return async (bytes: Uint8Array, last: boolean): Promise<void> => {
    crc.update(bytes)
    if (!last) return
    const expected = opened.crc32c ?? (await toldOf(place, key, etag, o))
    if (expected === undefined || expected === crc.base64) return
    const message = `the bytes of ${key} in ${place.uri} have the CRC32C ${crc.base64}, not ${expected}: they were changed on their way; read it again`
    throw new IvcapError('integrity', message, { resource: key })
  }
}

/** A server needn't tell the checksum of the whole with a part of it. Undefined: there is another version by now. */
async function toldOf(
  place: Place,
  key: string,
  generation: string,
  o: OpOptions,
): Promise<string | undefined> {
  const { info, crc32c } = await head(place, key, o)
  return info.etag === generation ? crc32c : undefined
}
