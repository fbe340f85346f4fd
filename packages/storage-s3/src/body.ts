import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { IvcapError, type OpOptions, type Part, parallelParts, retry } from '@ivcap/core/driver'
import { RETRIES, RETRY_DELAY } from './ask.js'
import { explain } from './errors.js'
import { type Opened, open } from './open.js'
import type { Place } from './place.js'

/**
 * The bytes of a range, in order, from as many requests at once as the place allows, each for a part of it and all for the
 * version of the first. A connection that breaks is taken up where it broke.
 */
export function bodyOf(
  place: Place,
  opened: Opened,
  range: { readonly start: number; readonly end: number },
  o: OpOptions,
): ReadableStream<Uint8Array> {
  const { partSize, concurrency } = place
  return parallelParts({
    ...o,
    ...range,
    partSize,
    concurrency,
    firstEnd: opened.end,
    receive: (part, signal) => receive(place, opened, part, signal),
    close: () => closed(opened.body),
  })
}

/** Fills a part, from its first connection and, if that breaks, from others. */
async function receive(place: Place, opened: Opened, part: Part, signal: AbortSignal): Promise<void> {
  const { key, etag } = opened.info
  let body = part.start === opened.start ? opened.body : undefined
  const attempt = async () => {
    const { position: start, end } = part
    body ??= (await open(place, key, { start, end, etag }, { signal })).body
    try {
      await pour(body, part, signal)
    } catch (error) {
      throw explain(error, { doing: 'read', key }, place)
    } finally {
      body = undefined
    }
    if (part.position < end) {
      throw new IvcapError(
        'unavailable',
        `the server sent ${part.position - start} bytes of ${key}, not ${end - start}`,
      )
    }
  }
  await retry(attempt, { retries: RETRIES, retryDelay: RETRY_DELAY, signal })
}

/** All of a body into a part. Its connection is free, or closed, afterwards. */
async function pour(body: Readable, part: Part, signal: AbortSignal): Promise<void> {
  const onAbort = () => void body.destroy()
  signal.addEventListener('abort', onAbort)
  if (signal.aborted) onAbort()
  body.on('data', (bytes: Uint8Array) => {
    try {
      part.add(bytes)
    } catch (error) {
      body.destroy(error instanceof Error ? error : undefined)
    }
  })
  try {
    await finished(body)
    signal.throwIfAborted()
  } finally {
    signal.removeEventListener('abort', onAbort)
    await closed(body)
  }
}

async function closed(body: Readable): Promise<void> {
  if (body.closed) return
  body.destroy()
  if (!body.closed) await once(body, 'close')
}
