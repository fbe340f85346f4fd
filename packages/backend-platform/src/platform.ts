import { type Backend, checkOptions, type EventListener } from '@ivcap/core/driver'
import type { OptionNames } from '@ivcap/core/internal'
import { openJournal } from '#journal'
import { openTransport } from '#transport'
import { artifactStore } from './artifacts.js'
import { aspectStore } from './aspects.js'
import { credentialsOf, type Token } from './credentials.js'
import { digestsIn } from './digests.js'
import { Http } from './http.js'
import type { Logger } from './logger.js'
import { searchOn } from './search.js'
import { serviceStore } from './services.js'
import { deploymentAt } from './urls.js'

export interface PlatformOptions {
  /** Of the deployment, e.g. `https://api.example.com`; it may have a path. */
  readonly url: string
  /** A JWT, or a function that gives one: asked for each request, and once more after a 401. Absent inside the cluster. */
  readonly token?: Token | undefined
  /** URN of the account on whose behalf uploads are made; half-done uploads of another one are not taken up. */
  readonly account?: string | undefined
  /** Keep the SHA-256 of each upload as an aspect `urn:ivcap:schema:artifact-digest.1`, and check downloads against it. */
  readonly digest?: boolean | undefined
  /** Where unfinished uploads are remembered (Node; default: the user's cache folder); false: nowhere. */
  readonly stateDir?: string | false | undefined
  /** Origins, besides the deployment's own, whose data-hrefs are used as they are; they never get the token. */
  readonly trustOrigins?: readonly string[] | undefined
  /** What requests are made with; default: node:http in Node, where it takes half the time, and else the global one. */
  readonly fetch?: typeof globalThis.fetch | undefined
  readonly logger?: Logger | undefined
  /** Hears what results do not tell: retries, resumed transfers, records that a list leaves out. @default no listener */
  readonly onEvent?: EventListener | undefined
  /** Milliseconds until the answer to a request that carries nothing must begin; default 30 000. */
  readonly connectTimeout?: number | undefined
  /** Milliseconds that a transfer may stand still; default 60 000. */
  readonly idleTimeout?: number | undefined
  /** Attempts after the first for calls other than uploads and downloads, which have their own; default 5. */
  readonly retries?: number | undefined
  /** Milliseconds before the first of them; exponential, jittered; default 200. */
  readonly retryDelay?: number | undefined
}

const OPTIONS: OptionNames<PlatformOptions> = {
  url: true,
  token: true,
  account: true,
  digest: true,
  stateDir: true,
  trustOrigins: true,
  fetch: true,
  logger: true,
  onEvent: true,
  connectTimeout: true,
  idleTimeout: true,
  retries: true,
  retryDelay: true,
}

/**
 * Artifacts, aspects and services of an IVCAP deployment, over REST and TUS.
 *
 * The token goes to the origin of `url` and nowhere else, and is in no error, no message and no field of what this returns.
 *
 * @throws IvcapError `invalid-argument` for a url or a token that can't be one
 */
export function platformBackend(options: PlatformOptions): Backend {
  const o = checkOptions(options, OPTIONS, 'platformBackend')
  const deployment = deploymentAt(o.url, o.trustOrigins)
  const transport = openTransport(o.fetch)
  const http = new Http({
    deployment,
    credentials: credentialsOf(o.token),
    transport,
    connectTimeout: o.connectTimeout ?? 30_000,
    idleTimeout: o.idleTimeout ?? 60_000,
    retries: { retries: o.retries ?? 5, retryDelay: o.retryDelay ?? 200 },
    onEvent: o.onEvent,
  })
  const aspects = aspectStore(http)
  const context = {
    http,
    journal: openJournal(o.stateDir),
    place: [deployment.href, ...(o.account === undefined ? [] : [o.account])],
  }
  return {
    artifacts: artifactStore(context, o.digest ? digestsIn(aspects, o.logger ?? {}) : undefined),
    aspects,
    services: serviceStore(http),
    search: searchOn(http),
    close: async () => transport.close(),
  }
}
