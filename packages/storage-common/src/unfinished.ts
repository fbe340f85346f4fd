import type { OpOptions } from '@ivcap/core/driver'
import { ListProgress } from '@ivcap/core/internal'
import { type Bucket, fullKey, request } from './bucket.js'
import type { UnfinishedUpload, UnfinishedUploads } from './driver.js'

export interface StaleUploadsOptions extends OpOptions {
  /** Only uploads that began before this time are aborted. No upload that is still in progress may have begun before it. */
  readonly olderThan: Date
}

/** Aborts the unfinished uploads below the prefix that began before a time, e.g. of crashed processes. Returns their number. */
export async function abortStaleUploads(
  bucket: Bucket,
  uploads: UnfinishedUploads,
  { olderThan, ...o }: StaleUploadsOptions,
): Promise<number> {
  let count = 0
  for await (const upload of uploadsBelow(bucket, uploads, bucket.prefix, o)) {
    if (upload.startedAt === undefined || upload.startedAt >= olderThan) continue
    await abort(bucket, uploads, upload, o)
    count++
  }
  return count
}

/**
 * Aborts uploads of a key whose ids are unknown, because the response to the request that began them was lost. They are
 * recognised by having no part. Failures are ignored: `abortStaleUploads` aborts the rest.
 */
export async function abortOrphanedUploads(
  bucket: Bucket,
  uploads: UnfinishedUploads,
  key: string,
  except: string | undefined,
  o: OpOptions,
): Promise<void> {
  const full = fullKey(bucket, key)
  const context = {
    operation: 'list the parts of an unfinished upload',
    key,
    permission: 'listParts',
  } as const
  try {
    for await (const upload of uploadsBelow(bucket, uploads, full, o)) {
      if (upload.key !== full || upload.id === except) continue
      const hasParts = await request(bucket, context, (a) => uploads.hasParts(upload, a), o)
      if (!hasParts) await abort(bucket, uploads, upload, o)
    }
  } catch {
    // the write continues, or reports its own failure
  }
}

async function* uploadsBelow(
  bucket: Bucket,
  uploads: UnfinishedUploads,
  prefix: string,
  o: OpOptions,
): AsyncGenerator<UnfinishedUpload> {
  const context = { operation: 'list unfinished uploads', permission: 'listUploads' } as const
  const progress = new ListProgress(bucket.driver.server, bucket.uri)
  let token: string | undefined
  let last: string | undefined
  for (;;) {
    const page = await request(bucket, context, (a) => uploads.list({ prefix, token }, a), o)
    yield* page.items
    if (page.token === undefined) return
    const key = page.items.at(-1)?.key
    if (key !== undefined && key !== last) progress.key(key)
    last = key ?? last
    token = progress.next(page.token)
  }
}

async function abort(
  bucket: Bucket,
  uploads: UnfinishedUploads,
  upload: UnfinishedUpload,
  o: OpOptions,
): Promise<void> {
  const key = upload.key.slice(bucket.prefix.length)
  const context = { operation: 'abort an unfinished upload of', key, permission: 'abortUpload' } as const
  await request(bucket, context, (a) => uploads.abort(upload, a), o)
}
