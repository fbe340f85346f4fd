import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'

/** Returns the SHA-256 of a stream in hex. Uses Node's own hashing, to check the library independently. */
export async function sha256(content: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of content) hash.update(chunk)
  return hash.digest('hex')
}

export const sha256OfFile = (path: string): Promise<string> =>
  sha256(createReadStream(path, { highWaterMark: 1024 * 1024 }))
