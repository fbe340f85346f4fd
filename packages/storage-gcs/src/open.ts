import { type BlobInfo, IvcapError, isIvcapError } from '@ivcap/core/driver'
import { ask, type askOnce } from './ask.js'
import { infoOf, orNoBucket } from './info.js'
import { blobUrl, type Place, type Query } from './place.js'
import { type Answer, header, type Sending } from './transport.js'

/** An answer whose body nobody has read yet. */
export interface Opened {
  readonly info: BlobInfo
  /** Where its body begins and ends in the blob. */
  readonly start: number
  readonly end: number
  /** Of the whole blob. */
  readonly crc32c?: string
  readonly body: Answer
}

interface Wanted {
  readonly start: number
  readonly end: number
  /** `must` be the current version; or `of`, which a bucket with versions has even when there is a newer one. */
  readonly must?: string | undefined
  readonly of?: string | undefined
}

/**
 * Opens `[start, end)` of a blob, less where it ends before: as it is stored, never unpacked.
 *
 * @param send `askOnce` where the caller repeats it
 * @throws IvcapError `precondition-failed` when it isn't the version that was asked for
 */
export async function open(
  place: Place,
  key: string,
  { start, end, must, of }: Wanted,
  o: Sending,
  send: typeof askOnce = ask,
): Promise<Opened> {
  const query: Query = { alt: 'media', generation: of, ifGenerationMatch: must }
  const question = {
    method: 'GET',
    url: blobUrl(place, key, query),
    // who takes gzip gets what is stored; from others the server hides that, and ranges with it
    large: end - start > place.partSize,
    headers: { range: `bytes=${start}-${end - 1}`, 'accept-encoding': 'gzip' },
    read: (answer: Answer) => opened(place, key, answer, { start, end }),
  } as const
  const asking = send(place, { doing: 'read', key, action: 'storage.objects.get' }, question, o)
  const found = await orNoBucket(place, o, asking).catch((error: unknown) => {
    const gone = isIvcapError(error, 'precondition-failed') || (of && isIvcapError(error, 'not-found'))
    throw gone ? changed(place, key) : error
  })
  try {
    expectVersion(place, found.info, must ?? of)
    return found
  } catch (error) {
    found.body.destroy()
    throw error
  }
}

/** What the answer says it is. */
function opened(
  place: Place,
  key: string,
  body: Answer,
  asked: { readonly start: number; readonly end: number },
): Opened {
  try {
    const generation = header(body, 'x-goog-generation')
    const [, crc32c] = /crc32c=([\w+/=]+)/.exec(header(body, 'x-goog-hash') ?? '') ?? []
    const { start, end, size } = extentOf(place, key, body, asked)
    return { info: infoOf(place, key, String(size), generation), start, end, body, ...(crc32c && { crc32c }) }
  } catch (error) {
    body.destroy()
    throw error
  }
}

function extentOf(
  { server }: Place,
  key: string,
  answer: Answer,
  asked: { readonly start: number; readonly end: number },
): { readonly start: number; readonly end: number; readonly size: number } {
  const [, first, last, total] =
    /^bytes (\d+)-(\d+)\/(\d+)$/.exec(header(answer, 'content-range') ?? '') ?? []
  if (first === undefined || last === undefined || total === undefined) {
    const size = Number(header(answer, 'content-length') ?? Number.NaN)
    const unpacked = Number(header(answer, 'x-goog-stored-content-length') ?? size) !== size
    // the whole of it, which is also what was asked for
    if (asked.start === 0 && size <= asked.end && !unpacked) return { start: 0, end: size, size }
    throw new IvcapError('protocol', `${server} does not answer with the range of ${key} that was asked for`)
  }
  const size = Number(total)
  const extent = { start: Number(first), end: Number(last) + 1, size }
  if (extent.start === asked.start && extent.end === Math.min(asked.end, size)) return extent
  const message = `${server} answers with bytes ${first}–${last} of ${key}, not ${asked.start}–`
  throw new IvcapError('protocol', message)
}

export function expectVersion(place: Place, info: BlobInfo, generation: string | undefined): void {
  if (generation !== undefined && info.etag !== generation) throw changed(place, info.key)
}

export function changed({ uri }: Place, key: string): IvcapError {
  const message = `blob ${key} in ${uri} has changed: its generation is another now; read it again from the start`
  return new IvcapError('precondition-failed', message, { resource: key })
}
