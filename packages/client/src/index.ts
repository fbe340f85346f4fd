/** Connects to IVCAP, a local folder or a bucket, depending on arguments and environment. */
import { type LocalLayout, localBackend } from '@ivcap/backend-local'
import { type Backend, Ivcap, type IvcapOptions } from '@ivcap/core'
import { checkOptions } from '@ivcap/core/driver'
import type { OptionNames } from '@ivcap/core/internal'
import { type Choice, choose, type Environment, LOCAL_DIR, VARIABLES } from './choose.js'
import { openOptional } from './optional.js'
import { CONNECT, type ConnectOptions, connectOptions, type ServicesOptions } from './options.js'
import { hasHref, parseBaseDir } from './places.js'
import { warnOfPlainHttp } from './warn.js'

export * from '@ivcap/core'
export type { Token } from './choose.js'
export type { ConnectOptions, ServicesOptions } from './options.js'

export interface LocalOptions extends IvcapOptions, ServicesOptions {
  /** The folder; created by the first write. @default `IVCAP_LOCAL_DIR`, else `ivcap-artifacts` */
  readonly baseDir?: string | URL | undefined
  /**
   * Where artifacts are stored: `flat` at `<baseDir>/<name>`, `artifacts` at `<baseDir>/artifacts/<name>`. The first write
   * records the layout. Afterwards any other layout fails with `invalid-argument`.
   *
   * @default the recorded layout; without a record `artifacts` if `baseDir` has a folder `artifacts` and nothing else but
   * `aspects` and names with a leading dot, else `flat`
   */
  readonly layout?: LocalLayout | undefined
  /** Also records a SHA-256 of files, which are otherwise copied without being read. @default false */
  readonly digest?: boolean | undefined
  /** Writes survive a loss of power, not just the end of the process. Slower. @default false */
  readonly fsync?: boolean | undefined
}

const LOCAL: OptionNames<LocalOptions> = {
  baseDir: true,
  layout: true,
  digest: true,
  fsync: true,
  services: true,
  stateDir: true,
  logger: true,
  onEvent: true,
  timeout: true,
}

/**
 * Creates the client for the backend that arguments and environment select, in this order: `url` or `baseDir`; `IVCAP_BASE_URL`;
 * `IVCAP_URL` with `IVCAP_JWT` or `token`; a local folder (`IVCAP_LOCAL_DIR`, default `ivcap-artifacts`). Loads only that
 * backend.
 *
 * @throws IvcapError `invalid-argument`; `unsupported` if that backend's package is not installed
 */
export async function connect(o: ConnectOptions | string | URL = {}): Promise<Ivcap> {
  const options: ConnectOptions = connectOptions<ConnectOptions>(o, CONNECT)
  const choice = choose(options, environment())
  const ivcap = new Ivcap(await withServices(await open(choice, options), options), forClient(options))
  options.logger?.debug?.(`ivcap: ${ivcap.url} (${choice.why})`)
  if (choice.kind === 'platform' && choice.token !== undefined) warnOfPlainHttp(choice.url, options.logger)
  return ivcap
}

/**
 * Creates the client for a local folder (default `IVCAP_LOCAL_DIR`, else `ivcap-artifacts`). Ignores all other environment
 * variables. A path alone is short for `{ baseDir }`.
 *
 * @throws IvcapError `invalid-argument`
 */
export async function local(o: LocalOptions | string | URL = {}): Promise<Ivcap> {
  const given = typeof o === 'string' || hasHref(o) ? { baseDir: o } : o
  const { baseDir, layout, digest, fsync, ...options } = checkOptions<LocalOptions>(given, LOCAL, 'local')
  const folder =
    baseDir === undefined ? process.env['IVCAP_LOCAL_DIR'] || LOCAL_DIR : parseBaseDir(baseDir, 'local')
  const backend = localBackend({
    baseDir: folder,
    layout,
    ...(digest !== undefined && { digest }),
    ...(fsync !== undefined && { fsync }),
  })
  return new Ivcap(await withServices(backend, options), forClient(options))
}

const forClient = ({ stateDir, logger, onEvent, timeout }: IvcapOptions): IvcapOptions => ({
  stateDir,
  logger,
  onEvent,
  timeout,
})

async function open(choice: Choice, { stateDir, logger }: IvcapOptions): Promise<Backend> {
  switch (choice.kind) {
    case 'local':
      return localBackend({ baseDir: choice.baseDir })
    case 'memory':
      return openOptional('@ivcap/backend-memory', 'memoryBackend', 'memory:', {})
    case 'platform': {
      const { url, token, account } = choice
      // loaded only if it is used
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
  { services, logger, onEvent }: IvcapOptions & ServicesOptions,
): Promise<Backend> {
  if (services === undefined || backend.services !== undefined) return backend
  // loaded only if it is used
  const { functionServices } = await import('@ivcap/services')
  return { ...backend, services: functionServices(backend, services, { logger, onEvent }) }
}

function environment(): Environment {
  const { env } = process
  return Object.fromEntries(VARIABLES.map((name) => [name, env[name]]))
}
