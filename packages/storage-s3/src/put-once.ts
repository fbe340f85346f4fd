import { PutObjectCommand } from '@aws-sdk/client-s3'
import type { BlobInfo } from '@ivcap/core/driver'
import { delayedAbort } from '@ivcap/core/internal'
import { askOnce } from './ask.js'
import { infoOf } from './info.js'
import type { Place } from './place.js'
import { signingLittle } from './unsigned.js'
import { commit, headersOf, type Writing } from './writing.js'

/** How long a request that its caller has aborted may take to come to its end. */
const GRACE_MS = 2_000

/** One request. The server makes it all or nothing, and keeps the condition, so that of many creators one wins. */
export async function putOnce(place: Place, bytes: Uint8Array, writing: Writing): Promise<BlobInfo> {
  const request = {
    ...headersOf(place, writing),
    Body: bytes,
    ContentLength: bytes.byteLength,
    ...(writing.mode === 'create' && { IfNoneMatch: '*' }),
  }
  const subject = {
    doing: 'store',
    key: writing.key,
    action: 's3:PutObject',
    conditional: writing.mode === 'create',
  }
  const info = await commit(place, writing, async () => {
    const command = signingLittle(new PutObjectCommand(request), bytes)
    const stop = delayedAbort(writing.signal, GRACE_MS)
    try {
      const told = await askOnce(place, subject, (s3, o) => s3.send(command, o), stop.options)
      return infoOf(place, writing.key, bytes.byteLength, told.ETag)
    } finally {
      stop.clear()
    }
  })
  writing.progress.finish(info.size)
  return info
}
