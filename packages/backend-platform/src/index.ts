/** IVCAP artifacts and aspects on a deployment. */
export type { Token } from './credentials.js'
export { DIGEST_SCHEMA } from './digests.js'
export type { Logger } from './logger.js'
export { type PlatformOptions, platformBackend } from './platform.js'
