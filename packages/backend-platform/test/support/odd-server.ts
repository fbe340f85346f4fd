import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Ivcap, type IvcapEvent } from '@ivcap/core'
import { onTestFinished } from 'vitest'
import { type PlatformOptions, platformBackend } from '../../src/index.js'

export const ID = 'urn:ivcap:artifact:11111111-1111-4111-8111-111111111111'

/** A handler for requests, and a client of it whose retries come at once. */
export async function clientOf(
  handler: (request: IncomingMessage, response: ServerResponse) => void,
  options: Partial<PlatformOptions> = {},
) {
  const events: IvcapEvent[] = []
  const requests: string[] = []
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url?.split('?')[0]}`)
    handler(request, response)
  })
  const url = await listening(server)
  const ivcap = clientAt(url, { onEvent: (event) => void events.push(event), ...options })
  return { ivcap, url, server, events, requests }
}

export const clientAt = (url: string, options: Partial<PlatformOptions> = {}) =>
  new Ivcap(platformBackend({ url, stateDir: false, retries: 2, retryDelay: 1, ...options }), {
    stateDir: false,
  })

/** The URL of a server that is stopped when the test ends. */
export async function listening(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return `http://127.0.0.1:${port}`
}

export function json(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(value))
}

export const record = (over: object = {}) => ({
  id: ID,
  name: 'a.txt',
  status: 'ready',
  size: 10,
  'mime-type': 'text/plain',
  'data-href': `/1/artifacts/${ID}/blob`,
  ...over,
})

export const isBlob = ({ url }: IncomingMessage): boolean => url?.endsWith('/blob') === true
