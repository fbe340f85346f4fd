import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { build } from 'esbuild'

/** A server on a port of its own; the name makes it another origin than the deployment even without the port. */
export async function listen(listener: RequestListener, host = 'localhost'): Promise<[string, Server]> {
  const server = createServer(listener)
  server.listen(0, host)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return [`http://${host}:${port}`, server]
}

export interface Site {
  readonly url: string
  close(): void
}

/** Serves a page with this script of the folder above, bundled as an app would be. */
export async function serveSite(script: string): Promise<Site> {
  const scripts = await bundle(script)
  const [url, server] = await listen((req, res) => {
    const script = scripts.get(req.url ?? '')
    if (script !== undefined) return res.writeHead(200, { 'Content-Type': 'text/javascript' }).end(script)
    const page =
      '<!doctype html><title>Upload</title><input type="file"><script type="module" src="/page.js">'
    return res.writeHead(200, { 'Content-Type': 'text/html' }).end(`${page}</script>`)
  })
  return {
    url,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

/** With the platform `browser` a Node module can't be resolved: one import of any fails the build. */
async function bundle(script: string): Promise<ReadonlyMap<string, Uint8Array>> {
  const { outputFiles } = await build({
    entryPoints: { page: join(import.meta.dirname, '..', script) },
    outdir: '/',
    bundle: true,
    splitting: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    conditions: ['source', 'browser', 'import', 'default'],
  })
  return new Map(outputFiles.map((file) => [file.path, file.contents]))
}
