import {
  AbortMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  type MultipartUpload,
} from '@aws-sdk/client-s3'
import type { OpOptions } from '@ivcap/core/driver'
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
export async function dropForgotten(place: Place, key: string, mine: string | undefined): Promise<void> {
  const full = fullKey(place, key)
  try {
    for await (const upload of uploadsBelow(place, full, {})) {
      if (upload.Key !== full || upload.UploadId === mine) continue
      if (!(await hasParts(place, upload))) await end(place, upload, {})
    }
  } catch {
    // nobody waits for it
  }
}

async function* uploadsBelow(place: Place, prefix: string, o: OpOptions): AsyncGenerator<MultipartUpload> {
  let after: { KeyMarker?: string; UploadIdMarker?: string } = {}
  for (;;) {
    const request = { Bucket: place.bucket, Prefix: prefix, ...after }
    const subject = { doing: 'list unfinished uploads' }
    const page = await ask(place, subject, (s3, a) => s3.send(new ListMultipartUploadsCommand(request), a), o)
    yield* page.Uploads ?? []
    if (!page.IsTruncated || page.NextKeyMarker === undefined) return
    const { NextKeyMarker: KeyMarker, NextUploadIdMarker: UploadIdMarker } = page
    after = { KeyMarker, ...(UploadIdMarker !== undefined && { UploadIdMarker }) }
  }
}

async function hasParts(place: Place, { Key, UploadId }: MultipartUpload): Promise<boolean> {
  const request = { Bucket: place.bucket, Key, UploadId, MaxParts: 1 }
  const subject = { doing: 'list the parts of an unfinished upload' }
  const { Parts = [] } = await ask(place, subject, (s3, o) => s3.send(new ListPartsCommand(request), o), {})
  return Parts.length > 0
}

async function end(place: Place, { Key, UploadId }: MultipartUpload, o: OpOptions): Promise<void> {
  const request = { Bucket: place.bucket, Key, UploadId }
  const subject = { doing: 'end an unfinished upload', ...(Key !== undefined && { key: Key }) }
  await ask(place, subject, (s3, a) => s3.send(new AbortMultipartUploadCommand(request), a), o)
}
