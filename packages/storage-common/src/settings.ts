import { IvcapError } from '@ivcap/core/driver'
import { DEFAULT_RETRIES, type OptionNames, show } from '@ivcap/core/internal'
import type { PartLimits } from './driver.js'

/** Options of every bucket. */
export interface BucketOptions {
  /** The name of the bucket, which must exist. */
  readonly bucket: string
  /** Prepended to all keys, followed by a slash. @default none */
  readonly prefix?: string | undefined
  /** Bytes per part of uploads and downloads. @default 8 MiB */
  readonly partSize?: number | undefined
  /** Parts that one upload or download transfers at once. @default 4 */
  readonly concurrency?: number | undefined
  /** Attempts after the first, for each request of a call without its own `retries`. @default 5 */
  readonly retries?: number | undefined
  /** Milliseconds before the first of these attempts; doubles each time, with jitter. @default 100 */
  readonly retryDelay?: number | undefined
}

export const BUCKET_OPTIONS: OptionNames<BucketOptions> = {
  bucket: true,
  prefix: true,
  partSize: true,
  concurrency: true,
  retries: true,
  retryDelay: true,
}

export interface BucketSettings {
  readonly bucket: string
  /** Empty, or ends with a slash. */
  readonly prefix: string
  readonly partSize: number
  readonly concurrency: number
  readonly retries: number
  readonly retryDelay: number
}

export const MiB = 1 << 20
/** Bytes of UTF-8: S3, Google Cloud Storage and Azure have the same limit. */
export const LONGEST_KEY = 1024
const DEFAULT_PART = 8 * MiB
const DEFAULT_CONCURRENCY = 4

/** @throws IvcapError `invalid-argument` */
export function bucketSettings(o: BucketOptions, { least, most, unit }: PartLimits): BucketSettings {
  const { bucket, prefix = '', partSize = DEFAULT_PART, concurrency = DEFAULT_CONCURRENCY } = o
  const { retries = DEFAULT_RETRIES.retries, retryDelay = DEFAULT_RETRIES.retryDelay } = o
  const check = (argument: string, isValid: boolean, rule: string, value: unknown) => {
    if (!isValid) throw invalid(argument, `${argument} must be ${rule}, not ${show(value)}`)
  }
  const isName = typeof bucket === 'string' && /^[^/\s?#]{3,}$/.test(bucket)
  check('bucket', isName, 'a name of 3 characters or more', bucket)
  check('prefix', typeof prefix === 'string', 'a string', prefix)
  const trimmed = prefix.replace(/^\/+|\/+$/g, '')
  const isPath =
    /^[\x20-\x7e]*$/.test(trimmed) && trimmed.length <= LONGEST_KEY / 2 && !trimmed.includes('//')
  check('prefix', isPath, `segments of printable ASCII, at most ${LONGEST_KEY / 2} characters`, prefix)
  const isPartSize =
    Number.isSafeInteger(partSize) && partSize >= least && partSize <= most && partSize % unit === 0
  const multiple = unit === 1 ? '' : `a multiple of ${unit} and `
  check('partSize', isPartSize, `${multiple}${least} to ${most} bytes`, partSize)
  check(
    'concurrency',
    Number.isSafeInteger(concurrency) && concurrency >= 1,
    'a whole number from 1',
    concurrency,
  )
  for (const [name, value] of Object.entries({ retries, retryDelay })) {
    check(name, Number.isSafeInteger(value) && value >= 0, 'a whole number from 0', value)
  }
  return {
    bucket,
    prefix: trimmed === '' ? '' : `${trimmed}/`,
    partSize,
    concurrency,
    retries,
    retryDelay,
  }
}

/** @throws IvcapError `invalid-argument` unless it is an HTTP URL without a user name and a password */
export function checkEndpoint(
  argument: string,
  endpoint: string | undefined,
  example: string,
): string | undefined {
  if (endpoint === undefined) return undefined
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw invalid(argument, `${argument} must be a URL such as ${example}, not ${JSON.stringify(endpoint)}`)
  }
  if (url.username || url.password) {
    // the message must not contain them
    const message = `${argument} (host ${url.host}) contains a user name or a password: use credentials instead`
    throw invalid(argument, message)
  }
  return endpoint
}

export function invalid(argument: string, message: string): IvcapError {
  return new IvcapError('invalid-argument', message, { argument })
}
