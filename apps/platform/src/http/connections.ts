import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/**
 * The connections of a server and what is asked on each: `server.close` would wait for those that were opened ahead of any
 * request, as browsers do, for those kept alive, and for those whose client goes on sending what was refused.
 */
export class Connections {
  /** Requests without an answer. */
  readonly #asked = new Map<Socket, number>()
  #closing = false

  constructor(server: Server) {
    server.on('connection', (socket: Socket) => {
      this.#asked.set(socket, 0)
      socket.once('close', () => this.#asked.delete(socket))
    })
    server.on('request', ({ socket }, res) => {
      this.#count(socket, 1)
      res.once('close', () => this.#count(socket, -1))
    })
  }

  /** Ends each connection as soon as all of its requests are answered. */
  release(): void {
    this.#closing = true
    for (const socket of this.#asked.keys()) this.#count(socket, 0)
  }

  #count(socket: Socket, more: number): void {
    const asked = (this.#asked.get(socket) ?? 0) + more
    if (this.#asked.has(socket)) this.#asked.set(socket, asked)
    if (this.#closing && asked === 0) socket.destroySoon()
  }
}
