export { backendOf } from './backends.js'
export type { Auth } from './http/auth.js'
export type { Origins } from './http/cors.js'
export { type Platform, type PlatformOptions, startPlatform } from './platform.js'
