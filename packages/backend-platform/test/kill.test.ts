import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFile, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { type FaultProxy, faultProxy } from '@ivcap/conformance/fault-proxy'
import { parseArtifactId } from '@ivcap/core/internal'
import { startPlatformProcess } from '@ivcap/platform-server/process'
import { build } from 'esbuild'
import { beforeAll, expect, it, onTestFinished } from 'vitest'
import { platformBackend } from '../src/index.js'
import { collect, someBytes } from './support/content.js'
import { folder, TOKEN } from './support/deployment.js'

const MiB = 1 << 20
const SIZE = 40 * MiB + 5
/** Bytes that may be sent twice. */
const AGAIN = 8 * MiB

const program = join(import.meta.dirname, '../node_modules/.cache/uploader.mjs')
beforeAll(async () => {
  await build({
    entryPoints: [fileURLToPath(new URL('support/uploader.ts', import.meta.url))],
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'esm',
    conditions: ['source'],
    external: ['tus-js-client'],
    logLevel: 'error',
  })
})

/** A file, and a deployment of its own process behind a proxy that counts. */
async function place() {
  const dir = await folder()
  const path = join(dir, 'reef.bin')
  await writeFile(path, someBytes(SIZE))
  const past = new Date(Date.now() - 60_123)
  await utimes(path, past, past)
  const data = join(dir, 'data')
  const serve = async () => {
    const server = await startPlatformProcess(['--dir', data, '--token', TOKEN, '--quiet'])
    onTestFinished(() => server.kill())
    return server
  }
  const server = await serve()
  const proxy = await faultProxy(server.url)
  const uploader = () => startUploader([proxy.url, TOKEN, path, join(dir, 'state')])
  return { path, proxy, server, serve, uploader }
}

function startUploader(args: readonly string[]) {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const lines = createInterface({ input: child.stdout })
  const ended = once(child, 'exit')
  let last = ''
  lines.on('line', (line) => {
    last = line
  })
  return {
    /** The deployment has so many bytes. */
    reached: (bytes: number) =>
      new Promise<void>((resolve) => lines.on('line', (line) => Number(line) >= bytes && resolve())),
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
    /** The id of the artifact. */
    async done() {
      expect((await ended)[0]).toBe(0)
      return parseArtifactId(last, 'id')
    },
  }
}

async function expectWhole(url: string, id: ReturnType<typeof parseArtifactId>, path: string): Promise<void> {
  const { artifacts } = platformBackend({ url, token: TOKEN, stateDir: false })
  const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
  const stored = await collect((await artifacts.read(id, {})).body)
  expect(digest(stored)).toBe(digest(await readFile(path)))
  expect((await artifacts.list({ limit: 50, orderDesc: true }, {})).items).toHaveLength(1)
}

const sentBy = ({ seen }: FaultProxy) =>
  seen.filter((s) => s.method === 'PATCH').reduce((sum, s) => sum + s.sent, 0)

// known failure: no-upload-resume
it('a client that is killed in the middle of an upload goes on where it was', {
  timeout: 60_000,
}, async () => {
  const { path, proxy, uploader } = await place()
  const first = uploader()
  await first.reached(SIZE / 3)
  await first.kill()
  const second = uploader()
  await second.reached(SIZE / 2)
  await second.kill()
  const id = await uploader().done()
  expect(proxy.seen.filter((s) => s.method === 'POST')).toHaveLength(1)
  // twice a chunk was under way
  expect(sentBy(proxy)).toBeLessThanOrEqual(SIZE + 2 * AGAIN)
  expect(sentBy(proxy)).toBeGreaterThanOrEqual(SIZE)
  await expectWhole(proxy.url, id, path)
})

it('a server that is killed in the middle of an upload is waited for', { timeout: 60_000 }, async () => {
  const { path, proxy, server, serve, uploader } = await place()
  const upload = uploader()
  await upload.reached(SIZE / 3)
  await server.kill()
  proxy.target = (await serve()).url
  const id = await upload.done()
  expect(proxy.seen.filter((s) => s.method === 'POST')).toHaveLength(1)
  expect(sentBy(proxy)).toBeLessThanOrEqual(SIZE + AGAIN + 1)
  await expectWhole(proxy.url, id, path)
})
