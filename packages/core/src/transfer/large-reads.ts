import { allocate } from '#runtime'

/** Bytes per read, at the most: Node itself takes memory for 64 KiB anew each time. */
const READ = 1 << 20

/** A socket of Node's, as far as it matters here. */
interface Socket {
  push(bytes: Uint8Array): boolean
  readonly readableLength: number
}

/** An agent of node:http or node:https. */
interface Agent {
  createConnection(options: object, done?: (error: Error | null, socket: unknown) => void): Socket
}

/**
 * The agent, its sockets reading as much as there is into the same memory again and again. node:http copies what it reads:
 * a body then takes half of the processor's time, and comes in pieces that are worth a call.
 */
export function readingMuch<A extends Agent>(agent: A): A {
  const connect: Agent['createConnection'] = agent.createConnection.bind(agent)
  agent.createConnection = (options, done) => {
    let memory = allocate(READ)
    const onread = {
      buffer: () => memory,
      callback(count: number): boolean {
        const more = socket.push(memory.subarray(0, count))
        // it waits there to be copied: what is read next goes elsewhere
        if (socket.readableLength > 0) memory = allocate(READ)
        return more
      },
    }
    const socket = connect({ ...options, onread }, done)
    return socket
  }
  return agent
}
