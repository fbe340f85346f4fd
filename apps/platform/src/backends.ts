import { join } from 'node:path'
import { fileBlobs } from '@ivcap/backend-local'
import { memoryBackend } from '@ivcap/backend-memory'
import { type Backend, IvcapError } from '@ivcap/core/driver'
import { blobBackend } from '@ivcap/core/engine'

/** Where a deployment stores its data: `folder`, `memory`, `s3://bucket/prefix`, `gs://bucket/prefix`. */
export type BackendLocation =
  | { readonly kind: 'folder' | 'memory' }
  | { readonly kind: 's3' | 'gs'; readonly bucket: string; readonly prefix: string }

/** Optional packages. */
const BUCKETS = {
  s3: { name: '@ivcap/storage-s3', factory: 's3Backend' },
  gs: { name: '@ivcap/storage-gcs', factory: 'gcsBackend' },
} as const

/** Returns undefined if the text is not a valid location. */
export function parseBackendLocation(text: string): BackendLocation | undefined {
  if (text === 'folder' || text === 'memory') return { kind: text }
  const [, kind, bucket, prefix = ''] = /^(s3|gs):\/\/([^/]+)(?:\/(.*))?$/.exec(text) ?? []
  if (bucket === undefined || (kind !== 's3' && kind !== 'gs')) return undefined
  return { kind, bucket, prefix }
}

/** Opens a backend with its data below `dir`, or in memory until the process ends. */
export function backendOf(kind: 'folder' | 'memory', dir: string): Backend {
  if (kind === 'memory') return memoryBackend()
  // clients see the location of an artifact's bytes: it must not show a path of this machine
  return blobBackend({ ...fileBlobs({ dir: join(dir, 'blobs') }), uri: 'ivcap-platform:blobs' })
}

/** @throws IvcapError `unsupported` if the package of the location isn't installed */
export async function openBackend(location: BackendLocation, dir: string): Promise<Backend> {
  if ('bucket' in location) {
    const backend = await bucketBackend(location.kind, { bucket: location.bucket, prefix: location.prefix })
    await assertReachable(backend, `${location.kind}://${location.bucket}`)
    return backend
  }
  return backendOf(location.kind, dir)
}

/** Checks the bucket before the server changes anything. @throws IvcapError `unavailable` that names the backend */
async function assertReachable(backend: Backend, url: string): Promise<void> {
  try {
    await backend.artifacts.list(
      { limit: 1, orderDesc: true },
      { signal: AbortSignal.timeout(REACHABLE_TIMEOUT_MS) },
    )
  } catch (cause) {
    await backend.close?.()
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new IvcapError('unavailable', `--backend ${url} cannot be used: ${why}`, {
      argument: 'backend',
      cause,
      retryable: false,
    })
  }
}

/** Timeout of the check of a bucket. */
const REACHABLE_TIMEOUT_MS = 20_000

async function bucketBackend(kind: 's3' | 'gs', options: object): Promise<Backend> {
  const { name, factory } = BUCKETS[kind]
  const module: Readonly<Record<string, unknown>> = await import(name).catch((cause: unknown) => {
    const message = `--backend ${kind}:// needs the package ${name}: npm install ${name} beside this one`
    throw new IvcapError('unsupported', message, { argument: 'backend', cause })
  })
  const open = module[factory]
  if (typeof open === 'function') return open(options)
  throw new IvcapError('unsupported', `the installed ${name} has no ${factory}: install the same version`)
}
