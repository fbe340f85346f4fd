import { IvcapError, type OpOptions, type ReadOptions } from '@ivcap/core/driver'
import type { Connection } from './connection.js'
import { LONGEST_KEY, type Settings } from './options.js'

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
  /** The permission that it needs, e.g. `s3:PutObject`. */
  readonly action?: string
  /** Whether the request has a condition that not every server knows. */
  readonly conditional?: boolean
}

/** Options of a read that matter to each of its requests. */
export type Reading = OpOptions & Pick<ReadOptions, 'memory'>

/** The key in the bucket. @throws IvcapError `invalid-argument` for one that S3 has no room for */
export function fullKey({ prefix, uri }: Place, key: string): string {
  const full = `${prefix}${key}`
  const bytes = Buffer.byteLength(full)
  if (key !== '' && bytes <= LONGEST_KEY) return full
  const what = key === '' ? 'is empty' : `has ${bytes} bytes with its prefix, and S3 takes ${LONGEST_KEY}`
  throw new IvcapError(
    'invalid-argument',
    `the key ${JSON.stringify(key.slice(0, 80))} ${what}: use another (${uri})`,
    {
      argument: 'key',
    },
  )
}
