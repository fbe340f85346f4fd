/** `#runtime` for browsers and other platforms without Node's modules. There are no files, but hashing works. */
import { IvcapError } from '../model/errors.js'
import type { ArtifactStore, ByteSource } from '../ports/index.js'
import type { AsyncHasher } from '../streams/hasher.js'
import type { Runtime, TempFile, UploadMemory } from './types.js'

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
} from './types.js'

/** MD5 is unsupported: only the sidecars of files need it. */
export function asyncHasher(algorithm: 'md5' | 'sha256'): AsyncHasher {
  if (algorithm === 'md5') throw unsupported('filePath', 'give the bytes as content instead')
  const loading = import('./web-hash.js').then(({ createSha256 }) => createSha256())
  // a failure to load is reported by `update` and `digest`
  loading.catch(() => {})
  return {
    update: async (bytes) => (await loading).update(bytes),
    digest: async () => (await loading).digest(),
    close() {},
  }
}

/** The constructor of Response rejects a stream that was read from, and reads nothing itself. */
export function isDisturbed(stream: object): boolean {
  if (!(stream instanceof ReadableStream)) return false
  try {
    new Response(stream)
    return false
  } catch {
    return true
  }
}

/** Does nothing: this platform does not warn about many listeners. */
export function expectListeners(_signal: AbortSignal): void {}

export const allocate = (size: number): Uint8Array<ArrayBuffer> => new Uint8Array(size)

export const rawGet: Runtime['rawGet'] = undefined
export const rawBody: Runtime['rawBody'] = undefined

export async function fileSource(_path: string, argument: string): Promise<ByteSource> {
  throw unsupported(argument, 'give the bytes as content instead, e.g. the File of an <input type="file">')
}

export async function saveAs(): Promise<string> {
  throw unsupported('asLocalFile', 'use blob() or asStream() instead')
}

/** Runs `work` once: without files there is no limit of open files. */
export const withOpenFiles: Runtime['withOpenFiles'] = (work) => work()

export async function copyFile(): Promise<never> {
  throw unsupported('copyFile', 'give the bytes as content instead')
}

export function checkFilePath(): string {
  throw unsupported('asLocalFile', 'use blob() or asStream() instead')
}

export const copyAs = async (): Promise<string | undefined> => undefined

export async function tempFile(): Promise<TempFile> {
  throw unsupported('asLocalFile', 'use blob() or asStream() instead')
}

export const samePath = (a: string, b: string): boolean => a === b

export const mountedFiles: ArtifactStore | undefined = undefined

/** Remembers nothing: there are no files. */
export function uploadMemory(): UploadMemory {
  return { recall: async () => undefined, remember: async () => {} }
}

export function processIdentity(): string {
  mine ??= `web-${crypto.randomUUID()}`
  return mine
}
let mine: string | undefined

/** Other processes cannot be seen from here, so only the time since the last change counts. */
export function isProcessGone(owner: string, lastChange: number, patience: number): boolean {
  return owner !== processIdentity() && Date.now() - lastChange > patience
}

export const defaultStateDir = (): string | undefined => undefined

function unsupported(what: string, instead: string): IvcapError {
  return new IvcapError('unsupported', `${what} needs a file system, and there is none here: ${instead}`, {
    argument: what,
  })
}
