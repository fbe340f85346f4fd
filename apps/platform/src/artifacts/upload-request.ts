import type { IncomingMessage } from 'node:http'
import { IvcapError } from '@ivcap/core/driver'
import { parsePolicy, parseUrn } from '@ivcap/core/internal'
import { badRequest } from '../http/errors.js'
import { header } from '../http/exchange.js'
import type { UploadMetadata } from './upload-info.js'

/** Characters. */
const MAX_NAME = 1024
const MAX_TYPE = 255
/** With or without padding. A single trailing character is invalid: it encodes no byte. */
const BASE64 = /^([\w+/-]{4})*([\w+/-]{2}(==)?|[\w+/-]{3}=?)?$/
// biome-ignore lint/suspicious/noControlCharactersInRegex: names must not contain them
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/

/** Parses the headers of `POST /1/artifacts`. @throws IvcapError `invalid-argument` that names the header */
export function parseUploadRequest(req: IncomingMessage): {
  readonly metadata: UploadMetadata
  readonly size: number | undefined
} {
  if (Number(header(req, 'content-length') ?? 0) > 0 || req.headers['transfer-encoding'] !== undefined) {
    throw new IvcapError(
      'unsupported',
      'Send no body here: send the bytes to data-href of the answer, by TUS',
    )
  }
  const name = nameOf(header(req, 'x-name'))
  const policy = header(req, 'x-policy')
  const collection = header(req, 'x-collection')
  return {
    metadata: {
      'mime-type': typeOf(header(req, 'x-content-type')),
      ...(name !== undefined && { name }),
      ...(policy !== undefined && { policy: parsePolicy(policy, 'X-Policy') }),
      ...(collection !== undefined && { collection: parseUrn(collection, 'X-Collection') }),
    },
    size: sizeOf(header(req, 'x-content-length') ?? header(req, 'upload-length')),
  }
}

/** Headers are ASCII, so the name is sent as base64 of UTF-8. */
function nameOf(encoded: string | undefined): string | undefined {
  if (encoded === undefined || encoded === '') return undefined
  try {
    if (!BASE64.test(encoded)) throw new Error('not base64')
    const name = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
      Buffer.from(encoded, 'base64'),
    )
    if (name.length <= MAX_NAME && !CONTROL.test(name)) return name
    if (name.length <= MAX_NAME) throw new Error('control characters')
  } catch {
    throw badRequest('X-Name', 'X-Name must be the base64 of a name in UTF-8, without control characters')
  }
  throw badRequest('X-Name', `X-Name is longer than ${MAX_NAME} characters`)
}

function typeOf(type = 'application/octet-stream'): string {
  if (type.length <= MAX_TYPE && /^[\x21-\x7e]+\/[\x20-\x7e]+$/.test(type)) return type
  throw badRequest('X-Content-Type', 'X-Content-Type must be a media type such as image/jpeg')
}

function sizeOf(text: string | undefined): number | undefined {
  if (text === undefined || text === '-1') return undefined
  const size = Number(text)
  if (/^\d+$/.test(text) && Number.isSafeInteger(size)) return size
  throw badRequest(
    'X-Content-Length',
    'X-Content-Length must be a number of bytes, or -1 if it is not known yet',
  )
}
