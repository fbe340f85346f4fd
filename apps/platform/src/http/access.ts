import type { IncomingMessage } from 'node:http'
import { IvcapError } from '@ivcap/core/driver'
import { badRequest } from './errors.js'
import { header } from './exchange.js'

/** Web origins whose pages may call this server: all (`*`), or those listed. */
export type Origins = '*' | readonly string[]

export interface AccessOptions {
  /** Whether requests need a token. */
  readonly guarded: boolean
  /** Names besides those of this machine under which clients reach a server that needs no token. */
  readonly hosts: readonly string[]
  readonly origins: Origins | undefined
}

export interface Access {
  /** Whether pages of this origin may read answers. */
  allows(origin: string): boolean
  /** @throws IvcapError 400 for a Host that is none, `permission-denied` for a host or an origin that is not allowed */
  check(req: IncomingMessage): void
}

/** A host, with or without a port: it becomes part of the links that are handed out. */
const HOST = /^([\w.-]+|\[[0-9a-f:.]+\])(:\d{1,5})?$/i
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/
const LOOPBACK_ADDRESS = /^(::ffff:)?127\.|^::1$/

/**
 * A server that needs a token takes calls under any name and from any page: browsers do not add the token by themselves. One
 * that is open takes calls under names of this machine alone, or a web page whose own name resolves to this machine (DNS
 * rebinding) could read it, and from allowed origins alone, or any page that its owner visits could write to it.
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
          `This server needs no token, so it answers only under names of this machine, not ${name}: allow it with --allow-host ${name}`,
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

/** The Host header, which becomes part of links. @throws IvcapError 400 if there is not exactly one that is a host */
export function hostOf(req: IncomingMessage): string {
  const hosts = req.headersDistinct['host'] ?? []
  const [host = ''] = hosts
  if (hosts.length === 1 && HOST.test(host)) return host
  throw badRequest('Host', 'There must be one Host header: a host name or address, with or without a port')
}

/** Whether the client reached this address by naming it, which a page of another name cannot do. */
function isLocalAddress({ socket: { localAddress = '' } }: IncomingMessage, name: string): boolean {
  const address = name.replace(/^\[|\]$/g, '')
  return !LOOPBACK_ADDRESS.test(localAddress) && address === localAddress.replace(/^::ffff:/, '')
}

function denied(message: string): IvcapError {
  return new IvcapError('permission-denied', message)
}
