import { type Backend, checkOptions, type EventListener } from '@ivcap/core/driver'
import type { OptionNames } from '@ivcap/core/internal'
import { openPendingUploads } from '#pending-uploads'
import { openTransport } from '#transport'
import { aspectDigests, type Logger } from './artifacts/digests.js'
import { artifactStore } from './artifacts/store.js'
import { aspectStore } from './aspects/store.js'
import { Http } from './http/client.js'
import { createCredentials, type Token } from './http/credentials.js'
import { parseDeployment } from './http/deployment.js'
import { datalogSearch } from './search.js'
import { serviceStore } from './services/store.js'

export interface PlatformOptions {
  /** The URL of the deployment, e.g. `https://api.example.com`. It may have a path. */
  readonly url: string
  /**
   * A JWT, or a function that returns one. The function is called for each request, and once more after a 401.
   *
   * @default no token, as inside a cluster
   */
  readonly token?: Token | undefined
  /** The URN of the account that uploads. An unfinished upload of another account is not resumed. */
  readonly account?: string | undefined
  /**
   * Stores the SHA-256 of each upload as an aspect `urn:ivcap:schema:artifact-digest.1`, and checks downloads against it.
   *
   * @default false
   */
  readonly digest?: boolean | undefined
  /** The folder that remembers unfinished uploads (Node); false disables this. @default the user's cache folder */
  readonly stateDir?: string | false | undefined
  /** Origins other than that of `url` whose content URLs are used unchanged. They never get the token. @default none */
  readonly trustOrigins?: readonly string[] | undefined
  /**
   * Uses the proxies in HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY (Node, unless `fetch` is given). For https a proxy sees
   * only the host. For plain http it sees everything, including the token. This machine is reached directly.
   *
   * @default true
   */
  readonly proxy?: boolean | undefined
  /** The function that sends requests. @default node:http in Node, which takes half the time; the global fetch elsewhere */
  readonly fetch?: typeof globalThis.fetch | undefined
  /** @default no messages */
  readonly logger?: Logger | undefined
  /** Receives events: retries, resumed transfers, records that are left out of a list. @default none */
  readonly onEvent?: EventListener | undefined
  /** Milliseconds until the response to a request without a body must begin. @default 30_000 */
  readonly connectTimeout?: number | undefined
  /** Milliseconds that a transfer may be idle. @default 60_000 */
  readonly idleTimeout?: number | undefined
  /** Attempts after the first. Uploads and downloads have their own option. @default 5 */
  readonly retries?: number | undefined
  /** Milliseconds before the second attempt; the delay grows exponentially, with jitter. @default 200 */
  readonly retryDelay?: number | undefined
}

const OPTIONS: OptionNames<PlatformOptions> = {
  url: true,
  token: true,
  account: true,
  digest: true,
  stateDir: true,
  trustOrigins: true,
  proxy: true,
  fetch: true,
  logger: true,
  onEvent: true,
  connectTimeout: true,
  idleTimeout: true,
  retries: true,
  retryDelay: true,
}

/**
 * Gives access to the artifacts, aspects and services of an IVCAP deployment, over REST and TUS.
 *
 * The token is sent only to the origin of `url`. No error, no message and no field of the result contains it.
 *
 * @throws IvcapError `invalid-argument` if `url` or `token` is not valid
 */
export function platformBackend(options: PlatformOptions): Backend {
  const o = checkOptions(options, OPTIONS, 'platformBackend')
  const deployment = parseDeployment(o.url, o.trustOrigins)
  const transport = openTransport({ fetch: o.fetch, proxy: o.proxy ?? true })
  const http = new Http({
    deployment,
    credentials: createCredentials(o.token),
    transport,
    connectTimeout: o.connectTimeout ?? 30_000,
    idleTimeout: o.idleTimeout ?? 60_000,
    retries: { retries: o.retries ?? 5, retryDelay: o.retryDelay ?? 200 },
    onEvent: o.onEvent,
  })
  const aspects = aspectStore(http)
  const context = {
    http,
    pendingUploads: openPendingUploads(o.stateDir),
    scope: [deployment.href, ...(o.account === undefined ? [] : [o.account])],
  }
  return {
    artifacts: artifactStore(context, o.digest ? aspectDigests(aspects, o.logger ?? {}) : undefined),
    aspects,
    services: serviceStore(http),
    search: datalogSearch(http),
    close: async () => transport.close(),
  }
}
