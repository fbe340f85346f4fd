import { allocate } from '#runtime'

/** Maximum bytes per read. Otherwise Node allocates 64 KiB for each read. */
const READ = 1 << 20

/** The parts of Node's socket that are used. */
interface Socket {
  push(bytes: Uint8Array): boolean
  readonly readableLength: number
}

/** The parts of an agent of node:http or node:https that are used. */
interface Agent {
  createConnection(options: object, done?: (error: Error | null, socket: unknown) => void): Socket
}

/**
 * Makes the agent's sockets read up to 1 MiB at once, into memory that is reused. This relies on undocumented behaviour of Node:
 * the parser of node:http copies the bytes that a socket pushes before `push` returns, or leaves them in the socket's buffer.
 * `transfer-large-reads.test.ts` fails if a version of Node behaves differently.
 *
 * @returns the same agent
 */
export function withLargeReads<A extends Agent>(agent: A): A {
  const connect: Agent['createConnection'] = agent.createConnection.bind(agent)
  agent.createConnection = (options, done) => {
    let memory = allocate(READ)
    const onread = {
      buffer: () => memory,
      callback(count: number): boolean {
        const more = socket.push(memory.subarray(0, count))
        // the bytes are still in the socket's buffer: the next read must not overwrite them
        if (socket.readableLength > 0) memory = allocate(READ)
        return more
      },
    }
    const socket = connect({ ...options, onread }, done)
    return socket
  }
  return agent
}
