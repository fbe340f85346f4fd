import {
  AbortMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  type MultipartUpload,
} from '@aws-sdk/client-s3'
import type { OpOptions } from '@ivcap/core/driver'
import { ListProgress } from '@ivcap/core/internal'
import { ask } from './ask.js'
import { fullKey, type Place } from './place.js'

export interface SweepOptions extends OpOptions {
  /** Uploads that began before; one that is still going on must not be among them. */
  readonly olderThan: Date
}

/** Ends the unfinished uploads below the prefix that began before a time: what a crash has left. Their number. */
export async function sweepUploads(place: Place, { olderThan, ...o }: SweepOptions): Promise<number> {
  let count = 0
  for await (const upload of uploadsBelow(place, place.prefix, o)) {
    if (upload.Initiated === undefined || upload.Initiated >= olderThan) continue
    await end(place, upload, o)
    count++
  }
  return count
}

/** Ends uploads of a key that were begun, and nobody was told their id: those without a part. Whatever goes wrong is left to a sweep. */
export async function dropForgotten(
  place: Place,
  key: string,
  mine: string | undefined,
  o: OpOptions,
): Promise<void> {
  const full = fullKey(place, key)
  try {
    for await (const upload of uploadsBelow(place, full, o)) {
      if (upload.Key !== full || upload.UploadId === mine) continue
      if (!(await hasParts(place, upload, o))) await end(place, upload, o)
    }
  } catch {
    // nobody waits for it
  }
}

async function* uploadsBelow(place: Place, prefix: string, o: OpOptions): AsyncGenerator<MultipartUpload> {
  const subject = { doing: 'list unfinished uploads', action: 's3:ListBucketMultipartUploads' }
  const progress = new ListProgress(place.server, place.uri)
  let after: { KeyMarker?: string; UploadIdMarker?: string } = {}
  for (;;) {
    const request = { Bucket: place.bucket, Prefix: prefix, ...after }
    const page = await ask(place, subject, (s3, a) => s3.send(new ListMultipartUploadsCommand(request), a), o)
    yield* page.Uploads ?? []
    if (!page.IsTruncated) return
    const { NextKeyMarker: KeyMarker, NextUploadIdMarker: UploadIdMarker } = page
    if (KeyMarker !== undefined && KeyMarker !== after.KeyMarker) progress.key(KeyMarker)
    progress.next(KeyMarker && `${KeyMarker} ${UploadIdMarker ?? ''}`)
    after = {
      ...(KeyMarker !== undefined && { KeyMarker }),
      ...(UploadIdMarker !== undefined && { UploadIdMarker }),
    }
  }
}

async function hasParts(place: Place, { Key, UploadId }: MultipartUpload, o: OpOptions): Promise<boolean> {
  const request = { Bucket: place.bucket, Key, UploadId, MaxParts: 1 }
  const subject = { doing: 'list the parts of an unfinished upload', action: 's3:ListMultipartUploadParts' }
  const { Parts = [] } = await ask(place, subject, (s3, a) => s3.send(new ListPartsCommand(request), a), o)
  return Parts.length > 0
}

async function end(place: Place, { Key, UploadId }: MultipartUpload, o: OpOptions): Promise<void> {
  const request = { Bucket: place.bucket, Key, UploadId }
  const action = 's3:AbortMultipartUpload'
  const subject = { doing: 'end an unfinished upload', action, ...(Key !== undefined && { key: Key }) }
  await ask(place, subject, (s3, a) => s3.send(new AbortMultipartUploadCommand(request), a), o)
}
