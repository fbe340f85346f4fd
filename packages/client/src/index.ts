/** Connects to IVCAP, a local folder or a bucket, as arguments and environment say. */
import { localBackend } from '@ivcap/backend-local'
import { type Backend, Ivcap, type IvcapOptions } from '@ivcap/core'
import type { FunctionService } from '@ivcap/core/services'
import { type Choice, choose, type Environment, LOCAL_DIR, type Place, VARIABLES } from './choose.js'
import { openOptional } from './optional.js'
import { warnOfPlainHttp } from './warn.js'

export * from '@ivcap/core'
export type { Token } from './choose.js'

export interface ServicesOptions {
  /**
   * Functions to run as services, in this process, where the place has none of its own. A deployment has: its services are
   * called, and these are not.
   */
  readonly services?: readonly FunctionService[] | undefined
}

export interface ConnectOptions extends Place, IvcapOptions, ServicesOptions {}

export interface LocalOptions extends IvcapOptions, ServicesOptions {
  /** The folder; made when something is first written. */
  readonly baseDir?: string | undefined
  /** Record a SHA-256 of files too, which are otherwise copied without being read. */
  readonly digest?: boolean | undefined
  /** Survive power loss, not just the end of the process; slower. */
  readonly fsync?: boolean | undefined
}

/**
 * The client for the place that arguments and environment name, in this order: `url`; `IVCAP_BASE_URL`; `IVCAP_URL` with
 * `IVCAP_JWT` or `token`; a local folder (`IVCAP_LOCAL_DIR`, default `ivcap-artifacts`). Loads one backend.
 *
 * @throws IvcapError `invalid-argument`; `unsupported` when that backend's package is not installed
 */
export async function connect(o: ConnectOptions | string = {}): Promise<Ivcap> {
  const options = typeof o === 'string' ? { url: o } : o
  const choice = choose(options, environment())
  const ivcap = new Ivcap(await withServices(await open(choice, options), options), options)
  options.logger?.debug?.(`ivcap: ${ivcap.url} (${choice.why})`)
  if (choice.kind === 'platform' && choice.token !== undefined) warnOfPlainHttp(choice.url, options.logger)
  return ivcap
}

/** The client for a local folder (default `IVCAP_LOCAL_DIR`, else `ivcap-artifacts`), whatever else the environment says. */
export async function local({ baseDir, digest, fsync, ...options }: LocalOptions = {}): Promise<Ivcap> {
  const folder = baseDir ?? (process.env['IVCAP_LOCAL_DIR'] || LOCAL_DIR)
  const backend = localBackend({
    baseDir: folder,
    ...(digest !== undefined && { digest }),
    ...(fsync !== undefined && { fsync }),
  })
  return new Ivcap(await withServices(backend, options), options)
}

async function open(choice: Choice, { stateDir, logger }: IvcapOptions): Promise<Backend> {
  switch (choice.kind) {
    case 'local':
      return localBackend({ baseDir: choice.baseDir })
    case 'memory':
      return openOptional('@ivcap/backend-memory', 'memoryBackend', 'memory:', {})
    case 'platform': {
      const { url, token, account } = choice
      // loaded only where it is what is connected to
      const { platformBackend } = await import('@ivcap/backend-platform')
      return platformBackend({ url, token, account, stateDir, logger })
    }
    case 's3': {
      const { bucket, prefix } = choice
      return openOptional('@ivcap/storage-s3', 's3Backend', 's3://', { bucket, prefix })
    }
    case 'gcs': {
      const { bucket, prefix } = choice
      return openOptional('@ivcap/storage-gcs', 'gcsBackend', 'gs://', { bucket, prefix })
    }
  }
}

async function withServices(
  backend: Backend,
  { services, logger }: IvcapOptions & ServicesOptions,
): Promise<Backend> {
  if (services === undefined || backend.services !== undefined) return backend
  // loaded only where it is asked for
  const { functionServices } = await import('@ivcap/core/services')
  return { ...backend, services: functionServices(backend, services, { logger }) }
}

function environment(): Environment {
  const { env } = process
  return Object.fromEntries(VARIABLES.map((name) => [name, env[name]]))
}
