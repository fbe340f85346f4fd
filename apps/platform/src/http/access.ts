import type { IncomingMessage } from 'node:http'
import { IvcapError } from '@ivcap/core/driver'
import { badRequest } from './errors.js'
import { header } from './exchange.js'

/** Web origins whose pages may call this server: all (`*`), or those listed. */
export type Origins = '*' | readonly string[]

export interface AccessOptions {
  /** Whether the server requires a token. */
  readonly guarded: boolean
  /** Additional host names that a server without a token accepts, besides those of this machine. */
  readonly hosts: readonly string[]
  readonly origins: Origins | undefined
}

export interface Access {
  /** Whether pages of this origin may read responses. */
  allows(origin: string): boolean
  /** @throws IvcapError 400 for an invalid Host header, `permission-denied` for a host or an origin that is not allowed */
  check(req: IncomingMessage): void
}

/** A host with an optional port. It becomes part of the links in responses. */
const HOST = /^([\w.-]+|\[[0-9a-f:.]+\])(:\d{1,5})?$/i
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/
const LOOPBACK_ADDRESS = /^(::ffff:)?127\.|^::1$/

/**
 * A server that requires a token accepts any host name and any origin, because browsers do not add the token by themselves.
 * A server without a token accepts only host names of this machine, to prevent DNS rebinding: a web page whose name resolves to
 * this machine could read its data. It accepts only allowed origins, or any page that the user visits could write to it.
 */
export function accessOf({ guarded, hosts, origins }: AccessOptions): Access {
  const names = hosts.map((host) => host.toLowerCase())
  const isKnown = (host: string) => LOOPBACK.test(host) || names.includes(host)

  const allows = (origin: string): boolean => {
    if (origins === '*' || (origins === undefined && guarded)) return true
    if (origins?.includes(origin)) return true
    return !guarded && origins === undefined && URL.canParse(origin) && isKnown(new URL(origin).hostname)
  }

  return {
    allows,
    check(req) {
      const host = hostOf(req)
      if (guarded) return
      const name = host.replace(/:\d+$/, '').toLowerCase()
      if (!isKnown(name) && !isLocalAddress(req, name)) {
        throw denied(
          `This server requires no token, so it accepts only host names of this machine, not ${name}: allow it with --allow-host ${name}`,
        )
      }
      const origin = header(req, 'origin')
      if (origin !== undefined && !allows(origin)) {
        const shown = JSON.stringify(origin.slice(0, 200))
        throw denied(`Pages of the origin ${shown} may not call this server: allow it with --allow-origin`)
      }
    },
  }
}

/** Returns the Host header. @throws IvcapError 400 unless there is exactly one, and it is valid */
export function hostOf(req: IncomingMessage): string {
  const hosts = req.headersDistinct['host'] ?? []
  const [host = ''] = hosts
  if (hosts.length === 1 && HOST.test(host)) return host
  throw badRequest('Host', 'Send one Host header: a host name or address, with an optional port')
}

/** Whether the host is the IP address of this connection. Not subject to DNS rebinding. */
function isLocalAddress({ socket: { localAddress = '' } }: IncomingMessage, name: string): boolean {
  const address = name.replace(/^\[|\]$/g, '')
  return !LOOPBACK_ADDRESS.test(localAddress) && address === localAddress.replace(/^::ffff:/, '')
}

function denied(message: string): IvcapError {
  return new IvcapError('permission-denied', message)
}
