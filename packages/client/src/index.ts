/** Connects to IVCAP, a local folder or a bucket, as arguments and environment say. */
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
  /** The folder; made when something is first written. @default `IVCAP_LOCAL_DIR`, else `ivcap-artifacts` */
  readonly baseDir?: string | URL | undefined
  /**
   * Where artifacts lie: `flat` at `<baseDir>/<name>`, `artifacts` at `<baseDir>/artifacts/<name>`. Recorded by the first write;
   * afterwards, another layout than the recorded one fails with `invalid-argument`.
   *
   * @default the recorded layout; without a record `artifacts` if `baseDir` has a folder `artifacts` and nothing else but `aspects`
   * and names with a leading dot, else `flat`
   */
  readonly layout?: LocalLayout | undefined
  /** Record a SHA-256 of files too, which are otherwise copied without being read. */
  readonly digest?: boolean | undefined
  /** Survive power loss, not just the end of the process; slower. */
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
 * The client for the place that arguments and environment name, in this order: `url`; `IVCAP_BASE_URL`; `IVCAP_URL` with
 * `IVCAP_JWT` or `token`; a local folder (`IVCAP_LOCAL_DIR`, default `ivcap-artifacts`). Loads one backend.
 *
 * @throws IvcapError `invalid-argument`; `unsupported` when that backend's package is not installed
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
 * The client for a local folder (default `IVCAP_LOCAL_DIR`, else `ivcap-artifacts`), whatever else the environment says. A path
 * alone stands for `{ baseDir }`.
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
  { services, logger, onEvent }: IvcapOptions & ServicesOptions,
): Promise<Backend> {
  if (services === undefined || backend.services !== undefined) return backend
  // loaded only where it is asked for
  const { functionServices } = await import('@ivcap/services')
  return { ...backend, services: functionServices(backend, services, { logger, onEvent }) }
}

function environment(): Environment {
  const { env } = process
  return Object.fromEntries(VARIABLES.map((name) => [name, env[name]]))
}
