import type { Connection } from './connection.js'
import { invalid, LONGEST_KEY, type Settings } from './options.js'

/** A prefix in a bucket, and the way there. */
export interface Place extends Settings, Omit<Connection, 'close'> {
  readonly uri: string
  /** What is known of the bucket by now. */
  readonly known: { exists: boolean }
}

/** What a request is about, for messages. */
export interface Subject {
  /** In words: `store`, `list blobs`. */
  readonly doing: string
  /** As the caller knows it. */
  readonly key?: string
  /** The permission that it needs, e.g. `storage.objects.create`. */
  readonly action?: string
  /** Whether the request has a condition that not every server knows. */
  readonly conditional?: boolean
}

export type Query = Readonly<Record<string, string | undefined>>

/** The key in the bucket. @throws IvcapError `invalid-argument` for one that there is no room for */
export function fullKey({ prefix, uri }: Place, key: string): string {
  const full = `${prefix}${key}`
  const bytes = Buffer.byteLength(full)
  if (key !== '' && bytes <= LONGEST_KEY) return full
  const what =
    key === ''
      ? 'is empty'
      : `has ${bytes} bytes with its prefix, and Google Cloud Storage takes ${LONGEST_KEY}`
  throw invalid('key', `the key ${JSON.stringify(key.slice(0, 80))} ${what}: use another (${uri})`)
}

/** The bucket's blobs as a resource, or one of them. */
export function blobUrl(place: Place, key: string | undefined, query: Query): URL {
  const blob = key === undefined ? '' : `/${encodeURIComponent(fullKey(place, key))}`
  return urlOf(place, `/storage/v1/b/${encodeURIComponent(place.bucket)}/o${blob}`, query)
}

export const uploadUrl = (place: Place, query: Query): URL =>
  urlOf(place, `/upload/storage/v1/b/${encodeURIComponent(place.bucket)}/o`, query)

function urlOf({ server }: Place, path: string, query: Query): URL {
  const url = new URL(`${server}${path}`)
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) url.searchParams.set(name, value)
  }
  return url
}
