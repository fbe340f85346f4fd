import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/**
 * Counts the open requests of each connection, to close idle connections. `server.close` alone would wait for connections
 * without a request, which browsers open in advance, for keep-alive connections, and for clients that go on sending a body
 * after the response.
 */
export class Connections {
  /** Number of requests without a complete response. */
  readonly #open = new Map<Socket, number>()
  #closing = false

  constructor(server: Server) {
    server.on('connection', (socket: Socket) => {
      this.#open.set(socket, 0)
      socket.once('close', () => this.#open.delete(socket))
    })
    server.on('request', ({ socket }, res) => {
      this.#count(socket, 1)
      res.once('close', () => this.#count(socket, -1))
    })
  }

  /** Closes each connection as soon as it has no open request. */
  release(): void {
    this.#closing = true
    for (const socket of this.#open.keys()) this.#count(socket, 0)
  }

  #count(socket: Socket, change: number): void {
    const open = (this.#open.get(socket) ?? 0) + change
    if (this.#open.has(socket)) this.#open.set(socket, open)
    if (this.#closing && open === 0) socket.destroySoon()
  }
}
