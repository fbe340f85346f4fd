import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { onTestFinished } from 'vitest'

/** Forwards to `url`, but cuts the first connections as soon as so many bytes of each have gone through. */
export async function cuttingProxy(url: string, cutAfter: readonly number[]): Promise<string> {
  const left = [...cutAfter]
  const { hostname, port } = new URL(url)
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname)
    let seen = 0
    client.on('data', (bytes: Buffer) => {
      seen += bytes.byteLength
      upstream.write(bytes)
      if (left[0] === undefined || seen < left[0]) return
      left.shift()
      client.resetAndDestroy()
      upstream.resetAndDestroy()
    })
    upstream.pipe(client)
    client.on('end', () => upstream.end())
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.on('error', () => other.destroy())
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
  })
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('The proxy has no address')
  return `http://127.0.0.1:${address.port}`
}
