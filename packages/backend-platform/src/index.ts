/** IVCAP artifacts and aspects on a deployment. */

export { DIGEST_SCHEMA } from './artifacts/digests.js'
export type { Token } from './http/credentials.js'
export { type Logger, type PlatformOptions, platformBackend } from './platform.js'
