import type { Storage, StorageOptions } from '@google-cloud/storage'
import { IvcapError } from '@ivcap/core/driver'
import { DEFAULT_RETRIES, type OptionNames, show } from '@ivcap/core/internal'

export interface GcsOptions {
  readonly bucket: string
  /** What all keys start with, and a slash; default: nothing. */
  readonly prefix?: string | undefined
  /** A client of your own: its endpoint and its credentials are used. The four options below are then nobody's business. */
  readonly client?: Storage | undefined
  /** URL of another server; default: `STORAGE_EMULATOR_HOST`, else Google's. */
  readonly apiEndpoint?: string | undefined
  /** Default: as the library finds it. */
  readonly projectId?: string | undefined
  /**
   * Default: as the library finds them (`GOOGLE_APPLICATION_CREDENTIALS`, `gcloud`, the machine's account). A server that is
   * not Google's is sent a token only where `credentials` or `keyFilename` is given.
   */
  readonly credentials?: StorageOptions['credentials'] | undefined
  /** A file with the key of a service account. */
  readonly keyFilename?: string | undefined
  /** Bytes per request, of uploads and downloads: a multiple of 256 KiB. Default 8 MiB. */
  readonly partSize?: number | undefined
  /** Requests at once, for one download. Default 4. */
  readonly concurrency?: number | undefined
  /** Attempts after the first, for each request of calls that give none of their own. @default 5 */
  readonly retries?: number | undefined
  /** Milliseconds before the first of them; doubles each time, jittered. @default 100 */
  readonly retryDelay?: number | undefined
}

export const OPTIONS: OptionNames<GcsOptions> = {
  bucket: true,
  prefix: true,
  client: true,
  apiEndpoint: true,
  projectId: true,
  credentials: true,
  keyFilename: true,
  partSize: true,
  concurrency: true,
  retries: true,
  retryDelay: true,
}

const KiB = 1 << 10
const MiB = 1 << 20
/** All chunks of an upload but the last are multiples of it. https://cloud.google.com/storage/docs/performing-resumable-uploads */
export const CHUNK_UNIT = 256 * KiB
/** In bytes of UTF-8. */
export const LONGEST_KEY = 1024

const PART = 8 * MiB
const MOST_PART = 1024 * MiB
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
export function settingsOf(o: GcsOptions): Settings {
  const { bucket, prefix = '', partSize = PART, concurrency = AT_ONCE, ...budget } = o
  const { retries = DEFAULT_RETRIES.retries, retryDelay = DEFAULT_RETRIES.retryDelay } = budget
  if (typeof bucket !== 'string' || !/^[^/\s?#]{3,}$/.test(bucket)) {
    throw invalid('bucket', `bucket must be a name of 3 characters or more, not ${show(bucket)}`)
  }
  if (typeof prefix !== 'string') throw invalid('prefix', `prefix must be a text, not ${show(prefix)}`)
  const trimmed = prefix.replace(/^\/+|\/+$/g, '')
  if (!/^[\x20-\x7e]*$/.test(trimmed) || trimmed.length > LONGEST_KEY / 2 || trimmed.includes('//')) {
    const rule = `segments of printable ASCII, ${LONGEST_KEY / 2} characters at the most`
    throw invalid('prefix', `prefix must be ${rule}, not ${show(prefix)}`)
  }
  if (
    !Number.isSafeInteger(partSize) ||
    partSize % CHUNK_UNIT !== 0 ||
    partSize < CHUNK_UNIT ||
    partSize > MOST_PART
  ) {
    const rule = `a multiple of ${CHUNK_UNIT} bytes, ${MOST_PART} at the most`
    throw invalid('partSize', `partSize must be ${rule}, not ${show(partSize)}`)
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
