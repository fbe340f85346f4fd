import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

export interface Foreign {
  readonly url: string
  /** All that ever came: request line, headers, body. */
  readonly heard: string[]
}

/** A server that is no part of the deployment, and writes down whatever it is told. */
export async function foreignServer(body: string | Uint8Array = 'foreign'): Promise<Foreign> {
  const heard: string[] = []
  const server = createServer(async (req, res) => {
    const chunks: Buffer[] = []
    for await (const chunk of req) chunks.push(chunk)
    heard.push(
      `${req.method} ${req.url}\n${JSON.stringify(req.headers)}\n${Buffer.concat(chunks).toString('latin1')}`,
    )
    res.writeHead(200, { 'Content-Type': 'application/octet-stream' }).end(body)
  })
  server.listen(0, 'localhost')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  // another name for this machine: another origin by its host, not only by its port
  const { port } = server.address() as AddressInfo
  return { url: `http://localhost:${port}`, heard }
}
