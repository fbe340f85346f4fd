import { Worker } from 'node:worker_threads'

/** The program of the thread, inlined because bundlers do not find files that are loaded by name. */
const PROGRAM = `
const { openSync, readSync, closeSync } = require('node:fs')
const { createHash } = require('node:crypto')
const { parentPort } = require('node:worker_threads')

const buffer = Buffer.allocUnsafe(1 << 20)
/** Bytes of one file that are hashed before the thread turns to the next request. */
const TURN = 64 << 20
const files = new Map()

function read(path, file, end) {
  const fd = openSync(path)
  try {
    while (file.at < end) {
      const count = readSync(fd, buffer, 0, Math.min(buffer.length, end - file.at), file.at)
      if (count === 0) throw new Error(path + ' ends after ' + file.at + ' bytes')
      file.hash.update(buffer.subarray(0, count))
      file.at += count
    }
  } finally {
    closeSync(fd)
  }
}

function stateOf(path) {
  const file = files.get(path) ?? { hash: createHash('sha256'), at: 0 }
  files.set(path, file)
  return file
}

function hash(request, file = stateOf(request.path)) {
  const { path, end, requestId } = request
  try {
    if (file.at < end) read(path, file, Math.min(end, file.at + TURN))
    if (file.at < end) return void setImmediate(hash, request, file)
    if (requestId === undefined) return
    files.delete(path)
    parentPort.postMessage({ requestId, sha256: file.hash.digest('hex') })
  } catch (error) {
    files.delete(path)
    if (requestId !== undefined) parentPort.postMessage({ requestId, error })
  }
}

parentPort.on('message', (request) => (request.end === undefined ? files.delete(request.path) : hash(request)))
`

/** A message of the thread. */
interface Response {
  readonly requestId: number
  readonly sha256?: string
  readonly error?: unknown
}

interface PendingDigest {
  resolve(sha256: string): void
  reject(error: unknown): void
}

/**
 * Computes the SHA-256 of growing files in a worker thread, which reads the bytes while they are written. The digest is
 * therefore available soon after the last byte. The state of a file is dropped after its digest: a second request reads it again.
 */
export class Digests {
  readonly #pending = new Map<number, PendingDigest>()
  /** Files that the thread has hashed in part. */
  readonly #followed = new Set<string>()
  #nextId = 0
  #worker: Worker | undefined

  /** Hashes the first `end` bytes in advance. They must not change any more. */
  follow(path: string, end: number): void {
    this.#followed.add(path)
    this.#thread().postMessage({ path, end })
  }

  /** Returns the SHA-256 of the first `end` bytes in lower-case hex. The bytes must exist. */
  digest(path: string, end: number): Promise<string> {
    return new Promise((resolve, reject) => {
      const requestId = this.#nextId++
      this.#followed.delete(path)
      this.#pending.set(requestId, { resolve, reject })
      this.#thread().postMessage({ path, end, requestId })
    })
  }

  /** Drops the state of a deleted file. */
  forget(path: string): void {
    if (this.#followed.delete(path)) this.#worker?.postMessage({ path })
  }

  async close(): Promise<void> {
    await this.#worker?.terminate()
  }

  #thread(): Worker {
    if (this.#worker !== undefined) return this.#worker
    const worker = new Worker(PROGRAM, { eval: true, execArgv: [], env: {} })
    worker.unref()
    worker.on('message', ({ requestId, sha256, error }: Response) => {
      const pending = this.#pending.get(requestId)
      this.#pending.delete(requestId)
      if (sha256 !== undefined) pending?.resolve(sha256)
      else pending?.reject(error)
    })
    worker.on('error', () => {}) // handled by 'exit'
    worker.on('exit', () => {
      this.#worker = undefined
      this.#followed.clear()
      for (const { reject } of this.#pending.values()) reject(new Error('the thread that hashes has ended'))
      this.#pending.clear()
    })
    this.#worker = worker
    return worker
  }
}
