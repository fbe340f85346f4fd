/** IVCAP artifacts and aspects on a deployment. */

export { DIGEST_SCHEMA, type Logger } from './artifacts/digests.js'
export type { Token } from './http/credentials.js'
export { type PlatformOptions, platformBackend } from './platform.js'
