import { randomUUID } from 'node:crypto'
import type { BlobInfo } from '@ivcap/core/driver'
import { afterFailure, delayedAbort } from '@ivcap/core/internal'
import { askOnce, jsonOf } from './ask.js'
import { Crc32c } from './crc32c.js'
import { FIELDS, foundIn, orNoBucket } from './info.js'
import { type Place, uploadUrl } from './place.js'
import { commit, conditionOf, expectSent, GRACE_MS, resourceOf, storing, type Writing } from './writing.js'

/** One request. The server makes it all or nothing, and compares the checksum first. */
export async function putOnce(place: Place, bytes: Uint8Array, writing: Writing): Promise<BlobInfo> {
  const crc = new Crc32c()
  crc.update(bytes)
  const sent = { size: bytes.byteLength, crc32c: crc.base64 }
  const boundary = randomUUID()
  const question = {
    method: 'POST',
    url: uploadUrl(place, { uploadType: 'multipart', ...conditionOf(writing), fields: FIELDS }),
    headers: { 'content-type': `multipart/related; boundary=${boundary}` },
    body: related(boundary, { ...resourceOf(place, writing), crc32c: sent.crc32c }, bytes),
    read: jsonOf,
  } as const
  const subject = storing(writing, 'store')
  const info = await commit(place, writing, async () => {
    const stop = delayedAbort(writing.signal, GRACE_MS)
    try {
      const asking = askOnce(place, subject, question, stop.options)
      const told = await orNoBucket(place, afterFailure(undefined, writing), asking)
      return await expectSent(place, writing, foundIn(place, writing.key, told), sent)
    } finally {
      stop.clear()
    }
  })
  writing.progress.finish(info.size)
  return info
}

/** RFC 2387: the resource, then the bytes. */
function related(
  boundary: string,
  resource: { readonly contentType?: string; readonly crc32c: string },
  bytes: Uint8Array,
): readonly Uint8Array[] {
  const { contentType = 'application/octet-stream' } = resource
  const json = `--${boundary}\r\ncontent-type: application/json; charset=UTF-8\r\n\r\n${JSON.stringify(resource)}`
  const start = `${json}\r\n--${boundary}\r\ncontent-type: ${contentType}\r\n\r\n`
  return [Buffer.from(start), bytes, Buffer.from(`\r\n--${boundary}--\r\n`)]
}
