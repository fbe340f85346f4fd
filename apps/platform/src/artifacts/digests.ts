import { Worker } from 'node:worker_threads'

/** The thread's whole program. A text, since bundlers lose files that are loaded by name. */
const PROGRAM = `
const { openSync, readSync, closeSync } = require('node:fs')
const { createHash } = require('node:crypto')
const { parentPort } = require('node:worker_threads')

const buffer = Buffer.allocUnsafe(1 << 20)
/** Bytes of one file that are hashed before the others get their turn. */
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

function known(path) {
  const file = files.get(path) ?? { hash: createHash('sha256'), at: 0 }
  files.set(path, file)
  return file
}

function work(asked, file = known(asked.path)) {
  const { path, end, question } = asked
  try {
    if (file.at < end) read(path, file, Math.min(end, file.at + TURN))
    if (file.at < end) return void setImmediate(work, asked, file)
    if (question === undefined) return
    files.delete(path)
    parentPort.postMessage({ question, sha256: file.hash.digest('hex') })
  } catch (error) {
    files.delete(path)
    if (question !== undefined) parentPort.postMessage({ question, error })
  }
}

parentPort.on('message', (asked) => (asked.end === undefined ? files.delete(asked.path) : work(asked)))
`

/** What the thread says. */
interface Answer {
  readonly question: number
  readonly sha256?: string
  readonly error?: unknown
}

interface Asker {
  resolve(sha256: string): void
  reject(error: unknown): void
}

/**
 * SHA-256 of files that grow, computed in a thread beside the server: it reads what others write, so that the digest is there
 * soon after the last byte. What it knows of a file ends with the answer, or the process: asked again, it reads all of it again.
 */
export class Digests {
  readonly #asking = new Map<number, Asker>()
  /** Files of which the thread knows a part. */
  readonly #followed = new Set<string>()
  #asked = 0
  #worker: Worker | undefined

  /** The file has so many bytes by now, and they stay. */
  follow(path: string, end: number): void {
    this.#followed.add(path)
    this.#thread().postMessage({ path, end })
  }

  /** Of the first `end` bytes, which are there; lower-case hex. */
  digest(path: string, end: number): Promise<string> {
    return new Promise((resolve, reject) => {
      const question = this.#asked++
      this.#followed.delete(path)
      this.#asking.set(question, { resolve, reject })
      this.#thread().postMessage({ path, end, question })
    })
  }

  /** The file is gone. */
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
    worker.on('message', ({ question, sha256, error }: Answer) => {
      const asker = this.#asking.get(question)
      this.#asking.delete(question)
      if (sha256 !== undefined) asker?.resolve(sha256)
      else asker?.reject(error)
    })
    worker.on('error', () => {}) // told by its exit
    worker.on('exit', () => {
      this.#worker = undefined
      this.#followed.clear()
      for (const { reject } of this.#asking.values()) reject(new Error('the thread that hashes has ended'))
      this.#asking.clear()
    })
    this.#worker = worker
    return worker
  }
}
