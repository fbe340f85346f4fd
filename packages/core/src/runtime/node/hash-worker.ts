import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { AsyncHasher } from '../../streams/hasher.js'
import { createMd5, createSha256 } from './hash.js'

/** Minimum bytes for which a thread is used: it takes some 30 ms to start. */
const WORTH_A_THREAD = 32 << 20
/**
 * Minimum number of processors for which a thread is used. SHA-256 by processor instructions takes no longer than passing the
 * bytes to a thread, and if there are two processors, a server or a disk uses the other one. MD5 takes twice as long.
 */
const WORTH_SHARING = { md5: 2, sha256: 3 } as const
/** Maximum bytes that wait to be hashed. */
const MOST_WAITING = 8 << 20

/** The program of the thread. It is a string because bundlers lose files that are loaded by name. */
const PROGRAM = `
const { createHash } = require('node:crypto')
const { parentPort, workerData } = require('node:worker_threads')
const hash = createHash(workerData)
parentPort.on('message', (bytes) => {
  if (bytes === null) return parentPort.postMessage(hash.digest('hex'))
  hash.update(bytes)
  parentPort.postMessage(bytes, [bytes.buffer])
})
`

/** See `Runtime.asyncHasher`. */
export function asyncHasher(algorithm: 'md5' | 'sha256', size: number | undefined): AsyncHasher {
  const isLarge = size !== undefined && size >= WORTH_A_THREAD
  if (isLarge && availableParallelism() >= WORTH_SHARING[algorithm]) return new ThreadHasher(algorithm)
  const hasher = algorithm === 'md5' ? createMd5() : createSha256()
  return { update: (bytes) => hasher.update(bytes), digest: async () => hasher.digest(), close() {} }
}

/** Copies the bytes into memory that is transferred to the thread and back. */
class ThreadHasher implements AsyncHasher {
  readonly #worker: Worker
  readonly #spare: Uint8Array<ArrayBuffer>[] = []
  readonly #digest: Promise<string>
  #waiting = 0
  #room: (() => void) | undefined

  constructor(algorithm: string) {
    this.#worker = new Worker(PROGRAM, { eval: true, execArgv: [], env: {}, workerData: algorithm })
    // a stream that is never finished must not keep the process alive
    this.#worker.unref()
    this.#digest = new Promise((resolve, reject) => {
      this.#worker.on('message', (said: unknown) => {
        if (typeof said === 'string') resolve(said)
        else if (said instanceof Uint8Array && said.buffer instanceof ArrayBuffer)
          this.#hashed(said.buffer, said.byteLength)
      })
      this.#worker.on('error', reject)
      this.#worker.on('exit', () => reject(new Error('the thread that hashes has ended')))
    })
    this.#digest.catch(() => this.#room?.())
  }

  async update(bytes: Uint8Array): Promise<void> {
    const memory = this.#memory(bytes.byteLength)
    memory.set(bytes)
    this.#waiting += memory.byteLength
    this.#worker.postMessage(memory, [memory.buffer])
    if (this.#waiting < MOST_WAITING) return
    const room = new Promise<void>((resolve) => {
      this.#room = resolve
    })
    this.#worker.ref()
    // `digest` reports a failure of the thread
    await Promise.race([room, this.#digest]).catch(() => {})
    this.#worker.unref()
  }

  digest(): Promise<string> {
    this.#worker.ref()
    this.#worker.postMessage(null)
    return this.#digest
  }

  close(): void {
    void this.#worker.terminate()
  }

  #memory(size: number): Uint8Array<ArrayBuffer> {
    const spare = this.#spare.pop()
    if (spare !== undefined && spare.buffer.byteLength >= size) return new Uint8Array(spare.buffer, 0, size)
    return new Uint8Array(size)
  }

  #hashed(memory: ArrayBuffer, size: number): void {
    this.#spare.push(new Uint8Array(memory))
    this.#waiting -= size
    if (this.#waiting < MOST_WAITING) this.#room?.()
  }
}
