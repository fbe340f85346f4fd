import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3'
import { IvcapError } from '@ivcap/core/driver'
import { DEFAULT_RETRIES, type OptionNames, show } from '@ivcap/core/internal'

export interface S3Options {
  readonly bucket: string
  /** What all keys start with, and a slash; default: nothing. */
  readonly prefix?: string | undefined
  /**
   * A client of your own, which stays yours to destroy. The four options below are then ignored, but for an `endpoint` that
   * says that the client talks to AWS. Set its `maxAttempts` to 1: the attempts that it makes by itself multiply with `retries`.
   */
  readonly client?: S3Client | undefined
  /** Default: as the SDK finds it (`AWS_REGION`, profile); for a server that isn't AWS's, else `us-east-1`. */
  readonly region?: string | undefined
  /** URL of a server that isn't AWS's; default: `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`, else AWS. */
  readonly endpoint?: string | undefined
  /** The bucket in the path of URLs, not in the host name. Default: only where the server isn't AWS's. */
  readonly forcePathStyle?: boolean | undefined
  /** Default: as the SDK finds them: environment, profile, the machine's role. */
  readonly credentials?: S3ClientConfig['credentials'] | undefined
  /** Bytes per part, of uploads and downloads, from 5 MiB. Default 8 MiB. */
  readonly partSize?: number | undefined
  /** Parts on their way at once, for one upload or download. Default 4. */
  readonly concurrency?: number | undefined
  /** Attempts after the first, for each request of calls that give none of their own. @default 5 */
  readonly retries?: number | undefined
  /** Milliseconds before the first of them; doubles each time, jittered. @default 100 */
  readonly retryDelay?: number | undefined
}

export const OPTIONS: OptionNames<S3Options> = {
  bucket: true,
  prefix: true,
  client: true,
  region: true,
  endpoint: true,
  forcePathStyle: true,
  credentials: true,
  partSize: true,
  concurrency: true,
  retries: true,
  retryDelay: true,
}

export const MiB = 1 << 20
/** S3's own bounds: of a part, of their number, of a blob, of a key (in bytes). */
export const LEAST_PART = 5 * MiB
export const MOST_PARTS = 10_000
const MOST_PART = 5 * 1024 * MiB
export const LONGEST_KEY = 1024

const PART = 8 * MiB
const AT_ONCE = 4

export interface Settings {
  readonly bucket: string
  /** Empty, or ends with a slash. */
  readonly prefix: string
  readonly partSize: number
  readonly concurrency: number
  readonly retries: number
  readonly retryDelay: number
}

/** @throws IvcapError `invalid-argument` */
export function settingsOf({
  bucket,
  prefix = '',
  partSize = PART,
  concurrency = AT_ONCE,
  retries = DEFAULT_RETRIES.retries,
  retryDelay = DEFAULT_RETRIES.retryDelay,
}: S3Options): Settings {
  if (typeof bucket !== 'string' || !/^[^/\s]{3,}$/.test(bucket)) {
    throw invalid('bucket', `bucket must be a name of 3 characters or more, not ${show(bucket)}`)
  }
  if (typeof prefix !== 'string') throw invalid('prefix', `prefix must be a text, not ${show(prefix)}`)
  const trimmed = prefix.replace(/^\/+|\/+$/g, '')
  if (!/^[\x20-\x7e]*$/.test(trimmed) || trimmed.length > LONGEST_KEY / 2 || trimmed.includes('//')) {
    const rule = `segments of printable ASCII, ${LONGEST_KEY / 2} characters at the most`
    throw invalid('prefix', `prefix must be ${rule}, not ${show(prefix)}`)
  }
  if (!Number.isSafeInteger(partSize) || partSize < LEAST_PART || partSize > MOST_PART) {
    throw invalid('partSize', `partSize must be ${LEAST_PART} to ${MOST_PART} bytes, not ${show(partSize)}`)
  }
  if (!Number.isSafeInteger(concurrency) || concurrency < 1) {
    throw invalid('concurrency', `concurrency must be a whole number from 1, not ${show(concurrency)}`)
  }
  for (const [name, value] of Object.entries({ retries, retryDelay })) {
    if (!Number.isSafeInteger(value) || value < 0)
      throw invalid(name, `${name} must be a whole number from 0, not ${value}`)
  }
  return { bucket, prefix: trimmed === '' ? '' : `${trimmed}/`, partSize, concurrency, retries, retryDelay }
}

export function invalid(argument: string, message: string): IvcapError {
  return new IvcapError('invalid-argument', message, { argument })
}
