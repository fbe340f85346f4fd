/** The part of core that needs Node. Imported as `#runtime`: the importer's package conditions select this module or web.ts. */
import { setMaxListeners } from 'node:events'
import { Readable } from 'node:stream'

export type {
  NodeBody,
  RawBody,
  RawRequest,
  RawResponse,
  RememberOptions,
  Runtime,
  TempFile,
  UploadMemory,
  UploadMemoryOptions,
} from '../types.js'
export { allocate } from './allocate.js'
export { copyFile } from './copy.js'
export { fileSource } from './file-source.js'
export { asyncHasher } from './hash-worker.js'
export { mountedFiles } from './mounted.js'
export { withOpenFiles } from './open-files.js'
export { isProcessGone, processIdentity } from './process-identity.js'
export { rawBody, rawGet } from './raw-get.js'
export { checkFilePath, copyAs, samePath, saveAs } from './save.js'
export { uploadMemory } from './sidecar.js'
export { defaultStateDir } from './stat-cache.js'
export { tempFile } from './temp-file.js'

/** See `Runtime.isDisturbed`. */
export function isDisturbed(stream: object): boolean {
  // it also accepts web streams, but its types don't say so
  return Reflect.apply(Readable.isDisturbed, Readable, [stream]) === true
}

/** See `Runtime.expectListeners`. */
export function expectListeners(signal: AbortSignal): void {
  setMaxListeners(0, signal)
}
