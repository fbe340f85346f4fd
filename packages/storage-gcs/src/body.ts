import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { IvcapError, type OpOptions, type Part, parallelParts, retry } from '@ivcap/core/driver'
import { RETRIES, RETRY_DELAY } from './ask.js'
import { Crc32c } from './crc32c.js'
import { explain } from './errors.js'
import { head } from './info.js'
import { type Opened, open } from './open.js'
import type { Place } from './place.js'

/**
 * The bytes of a range, in order, from as many requests at once as the place allows, each for a part of it and all for the
 * generation of the first. A connection that breaks is taken up where it broke. The checksum of a whole is checked.
 */
export function bodyOf(
  place: Place,
  opened: Opened,
  range: { readonly start: number; readonly end: number },
  o: OpOptions,
): ReadableStream<Uint8Array> {
  const { partSize, concurrency } = place
  const whole = range.start === 0 && range.end === opened.info.size
  return parallelParts({
    ...o,
    ...range,
    partSize,
    concurrency,
    firstEnd: opened.end,
    receive: (part, signal) => receive(place, opened, part, signal),
    ...(whole && { inspect: checker(place, opened, o) }),
    close: () => closed(opened.body),
  })
}

/** Fills a part, from its first connection and, if that breaks, from others. */
async function receive(place: Place, opened: Opened, part: Part, signal: AbortSignal): Promise<void> {
  const { key, etag } = opened.info
  let body = part.start === opened.start ? opened.body : undefined
  const attempt = async () => {
    const { position: start, end } = part
    body ??= (await open(place, key, { start, end, of: etag }, { signal })).body
    try {
      for await (const bytes of body) part.add(bytes)
    } catch (error) {
      throw explain(error, { doing: 'read', key }, place)
    } finally {
      await closed(body)
      body = undefined
    }
    if (part.position < end) {
      const message = `the server sent ${part.position - start} bytes of ${key}, not ${end - start}`
      throw new IvcapError('unavailable', message)
    }
  }
  await retry(attempt, { retries: RETRIES, retryDelay: RETRY_DELAY, signal })
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

async function closed(body: IncomingMessage): Promise<void> {
  if (body.closed) return
  body.destroy()
  if (!body.closed) await once(body, 'close')
}
