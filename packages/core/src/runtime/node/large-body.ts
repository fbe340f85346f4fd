import { Readable } from 'node:stream'
import type { LargeAnswer, LargeBody, LargeRequest } from '../types.js'
import { largeGet } from './large-get.js'

/** See `Runtime.largeBody`. */
export async function largeBody(request: LargeRequest): Promise<LargeBody | undefined> {
  const answer = await largeGet(request)
  return answer && new Body(answer)
}

class Body extends Readable implements LargeBody {
  readonly statusCode: 200 | 206
  readonly headers: Readonly<Record<string, string>>
  readonly #answer: LargeAnswer

  constructor(answer: LargeAnswer) {
    // the answer reads ahead by itself
    super({ highWaterMark: 1 })
    this.#answer = answer
    this.statusCode = answer.status
    this.headers = Object.fromEntries(answer.headers)
    // one that breaks is heard of by who reads it, then or later
    this.on('error', () => {})
  }

  override _read(): void {
    this.#answer.next().then(
      (bytes) => this.push(bytes ?? null),
      (error: Error) => this.destroy(error),
    )
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    void this.#answer.cancel().then(() => done(error))
  }
}
