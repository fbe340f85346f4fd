import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readdir, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { fileBlobs } from '@ivcap/backend-local'
import { blobBackend } from '@ivcap/core/engine'
import { expect, it, onTestFinished, vi } from 'vitest'
import { backendOf, startPlatform } from '../src/index.js'
import { startPlatformProcess } from '../src/process.js'
import { begin, patch, progress, recordOf } from './support/client.js'
import { folder, started } from './support/server.js'

const MIB = 1024 * 1024

/** A PATCH that stays open: some bytes, and no end. */
function openPatch(href: string, length: number): ReturnType<typeof request> {
  const sending = request(href, {
    method: 'PATCH',
    headers: {
      'Tus-Resumable': '1.0.0',
      'Upload-Offset': '0',
      'Content-Type': 'application/offset+octet-stream',
      'Content-Length': length,
    },
  })
  sending.on('error', () => {}) // it is cut off
  onTestFinished(() => {
    sending.destroy()
  })
  return sending
}

it('a server that is killed in the middle of an upload has kept what had arrived, for the next to go on', async () => {
  const dir = await folder()
  const first = await startPlatformProcess(['--dir', dir])
  onTestFinished(() => first.kill())
  const bytes = new Uint8Array(randomBytes(6 * MIB))
  const { id, href } = await begin(first.url, bytes.byteLength)
  openPatch(href, bytes.byteLength).write(bytes.subarray(0, 4 * MIB))
  await vi.waitUntil(async () => (await recordOf(first.url, id))['status'] === 'partial')
  await first.kill()

  const second = await startPlatformProcess(['--dir', dir])
  onTestFinished(() => second.kill())
  const there = href.replace(first.url, second.url)
  const offset = Number((await progress(there)).headers.get('upload-offset'))
  expect(offset).toBeGreaterThan(0)
  expect((await patch(there, offset, bytes.subarray(offset))).status).toBe(204)
  const stored = new Uint8Array(await (await fetch(there)).arrayBuffer())
  expect(Buffer.compare(stored, bytes)).toBe(0)
  expect(await second.stop()).toBe(0)
})

it('an upload whose bytes had all arrived becomes an artifact when the next server starts', async () => {
  const dir = await folder()
  const real = backendOf('folder', dir)
  const cut = async () => {
    throw new Error('killed before it was stored')
  }
  const dying = { ...real, artifacts: { ...real.artifacts, create: cut } }
  const before = await startPlatform({ dir, backend: dying })
  const { id, href } = await begin(before.url, 5)
  expect((await patch(href, 0, 'hello')).status).toBe(500)
  expect((await recordOf(before.url, id))['status']).toBe('error')
  await before.close()

  const { url } = await started({ dir })
  await vi.waitUntil(async () => (await recordOf(url, id))['status'] === 'ready')
  expect(await (await fetch(href.replace(before.url, url))).text()).toBe('hello')
  expect(await readdir(join(dir, 'uploads'))).toEqual([])
})

it('an artifact that was stored before the kill is not stored again', async () => {
  const dir = await folder()
  const real = backendOf('folder', dir)
  let stored = 0
  const create: typeof real.artifacts.create = async (...args) => {
    await real.artifacts.create(...args)
    stored++
    throw new Error('killed before it was tidied up')
  }
  const dying = { ...real, artifacts: { ...real.artifacts, create } }
  const before = await startPlatform({ dir, backend: dying })
  const { id, href } = await begin(before.url, 5)
  await patch(href, 0, 'hello')
  const etag = (await recordOf(before.url, id))['etag']
  await before.close()

  const { url } = await started({ dir })
  await vi.waitUntil(async () => (await readdir(join(dir, 'uploads'))).length === 0)
  expect(await recordOf(url, id)).toMatchObject({ status: 'ready', etag })
  expect(stored).toBe(1)
})

it('a server that dies between the bytes and the record loses neither', async () => {
  const dir = await folder()
  const blobs = fileBlobs({ dir: join(dir, 'blobs') })
  const dead = async () => {
    throw new Error('dead')
  }
  const put: typeof blobs.put = (key, ...rest) =>
    key.startsWith('artifacts/') ? blobs.put(key, ...rest) : dead()
  const before = await startPlatform({ dir, backend: blobBackend({ ...blobs, put, delete: dead }) })
  const { id, href } = await begin(before.url, 5)
  expect((await patch(href, 0, 'hello')).status).toBe(500)
  await before.close()
  expect(await readdir(join(dir, 'blobs', 'artifacts'))).toHaveLength(1)

  const { url } = await started({ dir })
  await vi.waitUntil(async () => (await recordOf(url, id))['status'] === 'ready')
  expect(await (await fetch(href.replace(before.url, url))).text()).toBe('hello')
  expect(await readdir(join(dir, 'uploads'))).toEqual([])
})

it('what was acknowledged when a server is killed is there, whole; what was not goes on', async () => {
  const dir = await folder()
  const first = await startPlatformProcess(['--dir', dir])
  onTestFinished(() => first.kill())
  const bytes = new Uint8Array(randomBytes(64 * 1024))
  const sent: Record<'begun' | 'stored', string[]> = { begun: [], stored: [] }
  const worker = async () => {
    for (;;) {
      const { href } = await begin(first.url, bytes.byteLength)
      sent.begun.push(href)
      if ((await patch(href, 0, bytes)).status === 204) sent.stored.push(href)
    }
  }
  const workers = Promise.allSettled(Array.from({ length: 8 }, worker))
  await vi.waitUntil(() => sent.stored.length >= 20, 30_000)
  await first.kill()
  await workers

  const second = await startPlatformProcess(['--dir', dir])
  onTestFinished(() => second.kill())
  for (const href of sent.begun) {
    const there = href.replace(first.url, second.url)
    if (!sent.stored.includes(href)) {
      const offset = Number((await progress(there)).headers.get('upload-offset'))
      expect((await patch(there, offset, bytes.subarray(offset))).status).toBe(204)
    }
    const content = Buffer.from(await (await fetch(there)).arrayBuffer())
    expect(Buffer.compare(content, bytes)).toBe(0)
  }
  expect(await second.stop()).toBe(0)
})

it('a client that asks how far it is has a whole upload stored', async () => {
  const dir = await folder()
  const real = backendOf('folder', dir)
  let failures = 1
  const create: typeof real.artifacts.create = async (...args) => {
    if (failures-- > 0) throw new Error('once')
    return real.artifacts.create(...args)
  }
  const { url } = await started({ dir, backend: { ...real, artifacts: { ...real.artifacts, create } } })
  const { id, href } = await begin(url, 5)
  expect((await patch(href, 0, 'hello')).status).toBe(500)
  expect((await progress(href)).headers.get('upload-offset')).toBe('5')
  expect((await recordOf(url, id))['status']).toBe('ready')
})

it('a start removes uploads that are marked as over, and staged copies of notes that are there', async () => {
  const dir = await folder()
  const uploads = join(dir, 'uploads')
  const first = await startPlatform({ dir })
  const pending = (await begin(first.url, 4)).id.slice(-36)
  await first.close()
  const over = '0b8f4c1e-6a5d-4f0e-9c1b-2d3e4f5a6b7c'
  await writeFile(join(uploads, over), 'bytes of an artifact')
  await writeFile(join(uploads, `${over}.ended`), '{}')
  await writeFile(join(uploads, `${pending}.${over}`), '{"id":')
  const { url } = await started({ dir })
  expect(await readdir(uploads)).toEqual([`${pending}.json`])
  expect((await fetch(`${url}/1/artifacts/${over}`)).status).toBe(404)
})

it('clients see no path of the server, neither in records nor in messages', async () => {
  const dir = await folder()
  const { url } = await started({ dir })
  const { href, id } = await begin(url, 3)
  await patch(href, 0, 'abc')
  const aspects = await fetch(`${url}/1/aspects?entity=${id}&include-content=true`)
  const text = await aspects.text()
  expect(text).toContain(id)
  expect(text).not.toContain(dir)
  // a folder in the way of what the next upload needs
  await rm(join(dir, 'blobs', 'artifacts'), { recursive: true })
  await writeFile(join(dir, 'blobs', 'artifacts'), '')
  const failing = await begin(url, 3)
  const answer = await patch(failing.href, 0, 'abc')
  expect(answer.ok).toBe(false)
  expect(await answer.text()).not.toContain(dir)
})

it('stopping finishes the request that is under way', async () => {
  const platform = await startPlatform({ dir: await folder() })
  const { href } = await begin(platform.url, 4)
  const sending = openPatch(href, 4)
  const answered = once(sending, 'response')
  sending.write('ab')
  await vi.waitUntil(
    async () => (await recordOf(platform.url, href.split('/').at(-2) ?? ''))['status'] === 'partial',
  )
  const closed = platform.close()
  sending.end('cd')
  const [response] = await answered
  expect(response.statusCode).toBe(204)
  await closed
  await expect(fetch(platform.url)).rejects.toThrow()
})

it('stopping waits no longer than the shutdown timeout, and keeps what has arrived', async () => {
  const dir = await folder()
  const platform = await startPlatform({ dir, shutdownTimeout: 50 })
  const { href } = await begin(platform.url, 4)
  openPatch(href, 4).write('ab')
  await vi.waitUntil(
    async () => (await recordOf(platform.url, href.split('/').at(-2) ?? ''))['status'] === 'partial',
  )
  await platform.close()
  const { url } = await started({ dir })
  expect((await progress(href.replace(platform.url, url))).headers.get('upload-offset')).toBe('2')
})

it('the one that is started as a process ends when it is told to', async () => {
  const server = await startPlatformProcess(['--backend', 'memory'])
  onTestFinished(() => server.kill())
  expect((await fetch(`${server.url}/1/artifacts`)).status).toBe(200)
  expect(await server.stop()).toBe(0)
})

it('one that cannot start says why', async () => {
  await expect(startPlatformProcess(['--backend', 'tape'])).rejects.toThrow(
    '--backend is one of folder, memory',
  )
})
