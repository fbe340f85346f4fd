import { IvcapError, isIvcapError, type OpOptions } from '@ivcap/core/driver'
import { afterFailure } from '@ivcap/core/internal'
import { ask, askOnce, ignore, jsonOf, type Question } from './ask.js'
import { FIELDS, type Found, foundIn, orNoBucket } from './info.js'
import { type Place, uploadUrl } from './place.js'
import { type Answer, header } from './transport.js'
import { conditionOf, resourceOf, storing, type Writing } from './writing.js'

/** A resumable upload. Who knows its URL may write, so that it stands in no message. */
export interface Session {
  readonly url: URL
}

/** How far the server has come: with so many bytes, or with the whole. */
export type Standing = { readonly received: number } | { readonly found: Found }

/** `308 Resume Incomplete` */
const GO_ON = 308

export async function begin(place: Place, writing: Writing): Promise<Session> {
  const url = uploadUrl(place, { uploadType: 'resumable', ...conditionOf(writing), fields: FIELDS })
  const { contentType = 'application/octet-stream' } = writing
  const question = {
    method: 'POST',
    url,
    headers: { 'content-type': 'application/json; charset=UTF-8', 'x-upload-content-type': contentType },
    body: [Buffer.from(JSON.stringify(resourceOf(place, writing)))],
    read: async (answer: Answer) => {
      await ignore(answer)
      return header(answer, 'location')
    },
  } as const
  const location = await orNoBucket(
    place,
    writing,
    ask(place, storing(writing, 'begin to store'), question, writing),
  )
  if (location === undefined || !URL.canParse(location, url.href)) {
    throw new IvcapError('protocol', `${place.server} began an upload of ${writing.key} without a URL for it`)
  }
  return { url: onServer(place, new URL(location, url)) }
}

/** A token goes to no host but the one that was named; that is also how it is reached through a tunnel. */
function onServer({ server }: Place, { pathname, search }: URL): URL {
  const base = new URL(server)
  const path = base.pathname.replace(/\/$/, '')
  return new URL(`${pathname.startsWith(`${path}/`) ? '' : path}${pathname}${search}`, base)
}

/** Sends bytes that begin at `from`. `last`: with them it is whole, and has this checksum. */
export function send(
  place: Place,
  session: Session,
  bytes: Uint8Array,
  {
    from,
    last,
    writing,
  }: { readonly from: number; readonly last?: string | undefined; readonly writing: Writing },
  o: OpOptions,
): Promise<Standing> {
  const end = from + bytes.byteLength
  const total = last === undefined ? '*' : end
  const extent = bytes.byteLength === 0 ? '*' : `${from}-${end - 1}`
  const question = {
    method: 'PUT',
    url: session.url,
    headers: {
      'content-range': `bytes ${extent}/${total}`,
      ...(last !== undefined && { 'x-goog-hash': `crc32c=${last}` }),
    },
    body: [bytes],
    ...standing(place, writing),
  } as const
  return askOnce(place, storing(writing, 'store'), question, o)
}

/** Asks how far it has come. */
export function standingOf(
  place: Place,
  session: Session,
  writing: Writing,
  o: OpOptions,
): Promise<Standing> {
  const question = {
    method: 'PUT',
    url: session.url,
    headers: { 'content-range': 'bytes */*' },
    ...standing(place, writing),
  } as const
  return askOnce(place, storing(writing, 'go on storing'), question, o)
}

function standing(place: Place, { key }: Writing): Pick<Question<Standing>, 'read' | 'statuses'> {
  return {
    statuses: [GO_ON],
    read: async (answer) => {
      if (answer.statusCode !== GO_ON) return { found: foundIn(place, key, await jsonOf(answer)) }
      await ignore(answer)
      const [, last] = /^bytes=0-(\d+)$/.exec(header(answer, 'range') ?? '') ?? []
      return { received: last === undefined ? 0 : Number(last) + 1 }
    },
  }
}

/** Whether the server knows an upload no longer. */
export const isLost = (error: unknown): error is IvcapError => isIvcapError(error) && error.status === 410

/** Google says 404, too. */
export function asLost({ uri }: Place, { key }: Writing, error: unknown): unknown {
  if (!isIvcapError(error) || (error.status !== 404 && error.status !== 410)) return error
  const message = `the server knows the upload of ${key} to ${uri} no longer: it was ended, or is a week old; upload it again`
  return new IvcapError('unavailable', message, {
    resource: key,
    status: 410,
    retryable: false,
    cause: error,
  })
}

/**
 * Ends the upload after a failure; the bytes that the server has taken are dropped. Whether the server confirms that: otherwise the
 * upload may have been completed, or stays for a week.
 */
export async function abandon(
  place: Place,
  { url }: Session,
  writing: Writing,
  failure: unknown,
): Promise<boolean> {
  const subject = { doing: 'abandon the upload of', key: writing.key }
  const read = async (answer: Answer) => {
    await ignore(answer)
    return !UNKNOWN_UPLOAD.includes(answer.statusCode ?? 0)
  }
  const question = { method: 'DELETE', url, read, statuses: [...UNKNOWN_UPLOAD, CANCELLED] } as const
  return await ask(place, subject, question, afterFailure(failure, writing)).catch(() => false)
}

/** https://cloud.google.com/storage/docs/performing-resumable-uploads#cancel-upload */
const CANCELLED = 499
const UNKNOWN_UPLOAD: readonly number[] = [404, 410]
