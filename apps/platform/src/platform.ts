import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { type Backend, IvcapError, type ServiceStore } from '@ivcap/core/driver'
import { type FunctionService, functionServices } from '@ivcap/services'
import { artifactRoutes } from './artifacts/routes.js'
import { TusUploads } from './artifacts/tus.js'
import { UploadFiles } from './artifacts/upload-files.js'
import { Uploads } from './artifacts/uploads.js'
import { aspectRoutes, searchRoute } from './aspects/routes.js'
import { backendOf } from './backends.js'
import { lockFolder } from './folder-lock.js'
import { accessOf, type Origins } from './http/access.js'
import { type Auth, guardOf } from './http/auth.js'
import { Connections } from './http/connections.js'
import { withoutPaths } from './http/errors.js'
import { listenerOf, type Route } from './http/router.js'
import { ScanLimiter } from './http/scan-limiter.js'
import { JobWorkers } from './services/job-workers.js'
import { serviceRoutes } from './services/routes.js'

export interface PlatformOptions {
  /** Folder of artifacts, aspects and unfinished uploads. Required unless `backend` is given. */
  readonly dir?: string | undefined
  /** Where the server stores artifacts and aspects. Its artifact ids must be uuids. @default files below `dir` */
  readonly backend?: Backend | undefined
  /**
   * Services behind `/1/services2`. A list of functions runs in this process, `JobWorkers` in threads. The server closes
   * the `JobWorkers`.
   * @default the services of the backend
   */
  readonly services?: readonly FunctionService[] | JobWorkers | undefined
  /** 0 selects a free port. @default 0 */
  readonly port?: number | undefined
  /** Address to listen at. Only this machine can reach the default. @default '127.0.0.1' */
  readonly host?: string | undefined
  /** How requests are authenticated. @default none: requests need no token */
  readonly auth?: Auth | undefined
  /** Web origins whose pages may call. @default all if a token is required, else those of this machine */
  readonly origins?: Origins | undefined
  /** Additional host names that a server without a token accepts, besides those of this machine. @default none */
  readonly hosts?: readonly string[] | undefined
  /** Maximum number of unfinished uploads. More are answered with 429. @default 10000 */
  readonly maxPending?: number | undefined
  /** Maximum number of connections. More are closed. @default 1000 */
  readonly maxConnections?: number | undefined
  /** Folder of unfinished uploads. @default `<dir>/uploads`, or a temporary folder if there is no `dir` */
  readonly tusDir?: string | undefined
  /** An upload that has received no byte for this time is removed, in ms. @default 7 days */
  readonly pendingTtl?: number | undefined
  /** Receives each line of the access log. @default none */
  readonly log?: ((line: string) => void) | undefined
  /** Maximum time that `close` waits for requests, jobs and uploads that are being stored, in ms. @default 10000 */
  readonly shutdownTimeout?: number | undefined
}

export interface Platform {
  /** The URL without a trailing slash, e.g. `http://127.0.0.1:8088`. */
  readonly url: string
  readonly port: number
  /** Accepts no more requests, finishes the open ones for at most `shutdownTimeout`, and releases its resources. */
  close(): Promise<void>
}

const SHUTDOWN_TIMEOUT_MS = 10_000
const PENDING_TTL_MS = 7 * 24 * 60 * 60_000
/** Maximum interval between removals of expired uploads. */
const EXPIRY_INTERVAL_MS = 60 * 60_000
/** A connection without traffic for this time is closed. Its upload can be resumed. */
const IDLE_MS = 5 * 60_000
const KEEP_ALIVE_MS = 30_000
/** Maximum size of request line and headers. More is answered with 431. */
const MAX_HEADER_BYTES = 32 * 1024

/** Maximum time to receive the headers. Explicit, as `headersTimeout` has no default without `requestTimeout`. */
const HEADERS_MS = 30_000
const MAX_HEADERS = 200
const MAX_PENDING = 10_000
const MAX_CONNECTIONS = 1000

/**
 * Starts an IVCAP deployment for development and tests, and recovers the uploads of an earlier one. It first locks its folders,
 * then listens, and changes data only after that: a failed start changes nothing.
 *
 * @throws IvcapError `unavailable` if another server uses the folder; `invalid-argument` for an option, address or folder
 *   that cannot be used
 */
export async function startPlatform(o: PlatformOptions): Promise<Platform> {
  const backend = o.backend ?? backendOf('folder', required(o.dir))
  const log = o.log ?? (() => {})
  const workers = o.services instanceof JobWorkers ? o.services : undefined
  const guard = guardOf(o.auth, (token) => workers?.accepts(token) ?? false)
  const access = accessOf({ guarded: o.auth !== undefined, hosts: o.hosts ?? [], origins: o.origins })
  const services = servicesOf(backend, o, log)
  const folders = [o.dir, o.tusDir].filter((folder) => folder !== undefined).map((folder) => resolve(folder))
  const redact = withoutPaths(folders)
  const stop = new AbortController()
  const ready = deferred<Listener>()
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      keepAliveTimeout: KEEP_ALIVE_MS,
      headersTimeout: HEADERS_MS,
      requestTimeout: 0,
      connectionsCheckingInterval: HEADERS_MS / 6,
    },
    (req, res) =>
      void ready.promise.then(
        (listener) => listener(req, res),
        () => res.destroy(),
      ),
  )
  server.maxHeadersCount = MAX_HEADERS
  server.maxConnections = o.maxConnections ?? MAX_CONNECTIONS
  server.setTimeout(IDLE_MS)
  const connections = new Connections(server)
  const undo: (() => Promise<unknown> | unknown)[] = [() => services.close?.(), () => workers?.close()]
  try {
    for (const folder of folders) {
      const lock = await lockFolder(folder)
      undo.push(() => lock.release())
    }
    const { port, host } = await listen(server, o.port ?? 0, o.host ?? '127.0.0.1')
    undo.push(() => server.close())
    const scratch = o.tusDir ?? (o.dir === undefined ? undefined : join(o.dir, 'uploads'))
    const tusDir = scratch ?? (await mkdtemp(join(tmpdir(), 'ivcap-platform-')))
    const files = await openUploadFiles(tusDir, log)
    const uploads = new Uploads(files, backend.artifacts, log, stop.signal, o.maxPending ?? MAX_PENDING)
    uploads.recover()
    const expiring = await expireRegularly(uploads, o.pendingTtl ?? PENDING_TTL_MS, log)
    const tus = new TusUploads(files, uploads, backend.artifacts, access, log, redact)
    const routes = routesOf(backend, services, uploads, tus)
    ready.resolve(listenerOf({ routes, guard, access, stopping: stop.signal, log, redact }))
    const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}`
    workers?.serve(`http://${loopbackOf(host)}:${port}`)

    async function close(): Promise<void> {
      clearInterval(expiring)
      // jobs in workers call the server until they end
      const ended = Promise.resolve(services.close?.())
      if (workers !== undefined) await ended
      const closed = new Promise((done) => server.close(done))
      connections.release()
      const timer = setTimeout(() => {
        stop.abort(new DOMException('The server stops', 'AbortError'))
        server.closeAllConnections()
        void files.close()
      }, o.shutdownTimeout ?? SHUTDOWN_TIMEOUT_MS)
      await Promise.all([closed, ended])
      await uploads.settled()
      await files.close()
      clearTimeout(timer)
      await workers?.close()
      await backend.close?.()
      if (scratch === undefined) await rm(tusDir, { recursive: true, force: true })
      for (const release of undo.slice(2, 2 + folders.length)) await release()
    }
    let closing: Promise<void> | undefined
    return {
      url,
      port,
      close: () => {
        closing ??= close()
        return closing
      },
    }
  } catch (error) {
    ready.reject(error)
    server.closeAllConnections()
    for (const step of undo.reverse()) await step()
    throw error
  }
}

function deferred<T>() {
  let resolve: (value: T) => void = () => {}
  let reject: (reason: unknown) => void = () => {}
  const promise = new Promise<T>((...settle) => {
    ;[resolve, reject] = settle
  })
  promise.catch(() => {})
  return { promise, resolve, reject }
}

type Listener = ReturnType<typeof listenerOf>

/** The host by which this machine reaches a server that listens at this address. */
function loopbackOf(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1'
  if (host === '::') return '[::1]'
  return host.includes(':') ? `[${host}]` : host
}

async function expireRegularly(
  uploads: Uploads,
  ttl: number,
  log: (line: string) => void,
): Promise<NodeJS.Timeout> {
  await uploads.expire(Date.now() - ttl)
  const expire = () => {
    uploads.expire(Date.now() - ttl).catch((error: unknown) => {
      log(`expired uploads could not be removed: ${error instanceof Error ? error.message : error}`)
    })
  }
  return setInterval(expire, Math.min(ttl, EXPIRY_INTERVAL_MS)).unref()
}

function servicesOf(backend: Backend, o: PlatformOptions, log: (line: string) => void): ServiceStore {
  if (o.services === undefined && backend.services !== undefined) return backend.services
  const options = { shutdownTimeout: o.shutdownTimeout ?? SHUTDOWN_TIMEOUT_MS, logger: { warn: log } }
  if (!(o.services instanceof JobWorkers)) return functionServices(backend, o.services ?? [], options)
  const { services, execute } = o.services
  return functionServices(backend, services, { ...options, execute })
}

function routesOf(
  backend: Backend,
  services: ServiceStore,
  uploads: Uploads,
  tus: TusUploads,
): readonly Route[] {
  const jobs = serviceRoutes(services)
  const artifacts = artifactRoutes(backend.artifacts, uploads, tus)
  const aspects = aspectRoutes(backend.aspects)
  const scans = new ScanLimiter()
  return [
    ['POST', '/1/artifacts', artifacts.create],
    ['GET', '/1/artifacts', scans.limited(artifacts.list)],
    ['GET', '/1/artifacts/:id', artifacts.get],
    [['GET', 'HEAD'], '/1/artifacts/:id/blob', artifacts.content],
    ['PATCH', '/1/artifacts/:id/blob', (exchange) => tus.patch(exchange)],
    ['POST', '/1/artifacts/:id/blob', (exchange) => tus.post(exchange)],
    ['POST', '/1/aspects', aspects.add],
    ['PUT', '/1/aspects', aspects.replace],
    ['GET', '/1/aspects', scans.limited(aspects.list)],
    ['GET', '/1/aspects/:id', aspects.get],
    ['DELETE', '/1/aspects/:id', aspects.retract],
    ['GET', '/1/services2', jobs.list],
    ['GET', '/1/services2/:id', jobs.get],
    ['POST', '/1/services2/:id/jobs', jobs.createJob],
    ['GET', '/1/services2/:id/jobs', jobs.listJobs],
    ['GET', '/1/services2/:id/jobs/:job', jobs.getJob],
    ['GET', '/1/services2/:id/jobs/:job/output', jobs.output],
    ['POST', '/1/search', searchRoute(backend)],
  ]
}

async function openUploadFiles(dir: string, log: (line: string) => void): Promise<UploadFiles> {
  try {
    return await UploadFiles.open(dir, log)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new IvcapError(
      'invalid-argument',
      `The folder ${dir} cannot store uploads (${why}): give another dir`,
      {
        argument: 'dir',
        cause,
      },
    )
  }
}

function required(dir: string | undefined): string {
  if (dir !== undefined && dir !== '') return dir
  throw new IvcapError('missing-argument', 'dir is missing: give a folder for the data, or a backend', {
    argument: 'dir',
  })
}

function listen(server: Server, port: number, host: string): Promise<{ port: number; host: string }> {
  return new Promise((done, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const why = cause.code === 'EADDRINUSE' ? 'something listens there already' : cause.message
      const message = `The server can't listen at ${host}:${port}: ${why}; choose another port or host`
      reject(new IvcapError('invalid-argument', message, { argument: 'port', cause }))
    })
    server.listen(port, host, () => {
      const address = server.address()
      done({ port: typeof address === 'object' && address !== null ? address.port : port, host })
    })
  })
}
