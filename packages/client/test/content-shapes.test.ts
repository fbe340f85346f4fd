import { open, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { places, tempDir } from './support/places.js'

/** A real answer of a real server. */
async function answered(answer: RequestListener): Promise<Response> {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  return fetch(`http://127.0.0.1:${port}/`)
}

const csv: RequestListener = (_, response) => {
  response.writeHead(200, { 'Content-Type': 'text/csv; charset=utf-8' }).end('a,b\n1,2\n')
}

describe.each(['local', 'memory'] as const)('content on %s', (place) => {
  it('is an answer of fetch, of its type', async () => {
    const ivcap = await places[place]()
    const artifact = await ivcap.uploadArtifact({ name: 'table', content: await answered(csv) })
    expect(artifact).toMatchObject({ size: 8, mimeType: 'text/csv; charset=utf-8' })
    expect(await artifact.text()).toBe('a,b\n1,2\n')
  })

  it('is a response with an invalid type: the name decides', async () => {
    const ivcap = await places[place]()
    const content = await answered((_, response) => response.setHeader('Content-Type', 'csv').end('a,b'))
    const artifact = await ivcap.uploadArtifact({ name: 'table.csv', content })
    expect(artifact.mimeType).toBe('text/csv')
  })

  it('is an answer that was encoded on its way', async () => {
    const ivcap = await places[place]()
    const { gzipSync } = await import('node:zlib')
    const body = 'depth\n'.repeat(1000)
    const content = await answered((_, response) => {
      response.writeHead(200, { 'Content-Type': 'text/csv', 'Content-Encoding': 'gzip' }).end(gzipSync(body))
    })
    const artifact = await ivcap.uploadArtifact({ name: 'table', content })
    expect(artifact.size).toBe(6000)
    expect(await artifact.text()).toBe(body)
  })

  it('is no answer that failed or was read, and nothing is stored', async () => {
    const ivcap = await places[place]()
    const missing = await answered((_, response) => response.writeHead(404).end('no such table'))
    const store = (content: Response) => ivcap.uploadArtifact({ name: 'table.csv', content })
    await expect(store(missing)).rejects.toMatchObject({
      code: 'invalid-argument',
      argument: 'content',
      message: expect.stringContaining('404'),
    })
    const read = await answered(csv)
    await read.text()
    await expect(store(read)).rejects.toMatchObject({ code: 'invalid-argument', argument: 'content' })
    expect(await ivcap.listArtifacts().toArray()).toEqual([])
  })

  it('is no answer that ends early', async () => {
    const ivcap = await places[place]()
    const content = await answered((_, response) => {
      response.writeHead(200, { 'Content-Type': 'text/csv', 'Content-Length': 100 })
      response.write('a,b\n', () => response.destroy())
    })
    await expect(ivcap.uploadArtifact({ name: 'table', content })).rejects.toMatchObject({
      name: 'IvcapError',
    })
    expect(await ivcap.listArtifacts().toArray()).toEqual([])
  })

  it('is an open file, read from its first byte, which stays open', async () => {
    const ivcap = await places[place]()
    const path = join(await tempDir(), 'cast.csv')
    const bytes = Buffer.alloc(2_500_000, 'depth,temperature\n')
    await writeFile(path, bytes)
    const content = await open(path)
    onTestFinished(() => content.close())
    // its position doesn't count
    await content.read(Buffer.alloc(10), 0, 10)
    const artifact = await ivcap.uploadArtifact({ name: 'cast.csv', content })
    expect(artifact).toMatchObject({ size: bytes.byteLength, mimeType: 'text/csv' })
    expect(Buffer.compare(await artifact.bytes(), bytes)).toBe(0)
    expect((await content.stat()).size).toBe(bytes.byteLength)
  })

  it('is no open file that changes, is closed, or is no file', async () => {
    const ivcap = await places[place]()
    const path = join(await tempDir(), 'cast.csv')
    await writeFile(path, Buffer.alloc(3_000_000))
    const store = (content: Awaited<ReturnType<typeof open>>) =>
      ivcap.uploadArtifact({ name: 'cast.csv', content, onProgress: () => void 0 })
    const content = await open(path, 'r+')
    const grown = {
      fd: content.fd,
      stat: () => content.stat(),
      async read(buffer: Uint8Array, offset: number, length: number, position: number) {
        const read = await content.read(buffer, offset, length, position)
        if (position === 0) await content.truncate(3_000_001)
        return read
      },
    }
    await expect(ivcap.uploadArtifact({ name: 'cast.csv', content: grown })).rejects.toMatchObject({
      code: 'integrity',
    })
    await content.close()
    await expect(store(content)).rejects.toMatchObject({ code: 'invalid-argument', argument: 'content' })
    const device = await open('/dev/null')
    onTestFinished(() => device.close())
    await expect(store(device)).rejects.toMatchObject({
      message: expect.stringContaining('createReadStream()'),
    })
    const unsized = await open('/proc/self/status')
    onTestFinished(() => unsized.close())
    await expect(store(unsized)).rejects.toMatchObject({
      message: expect.stringContaining('createReadStream()'),
    })
    expect(await ivcap.listArtifacts().toArray()).toEqual([])
  })
})
