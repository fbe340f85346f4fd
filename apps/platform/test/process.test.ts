import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished, vi } from 'vitest'
import { startPlatformProcess } from '../src/process.js'
import { begin, recordOf } from './support/client.js'
import { folder } from './support/server.js'

/** From the sources, whatever is built. */
const COMMAND = [
  '--import',
  new URL('../bin/from-sources.mjs', import.meta.url).href,
  fileURLToPath(new URL('../src/main.ts', import.meta.url)),
]

interface Run {
  readonly child: ChildProcess
  output(): string
  readonly exited: Promise<unknown[]>
}

/** The command itself. */
function run(args: readonly string[]): Run {
  const child = spawn(process.execPath, [...COMMAND, '--port', '0', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (more: string) => {
      text += more
    })
  }
  return { child, output: () => text, exited: once(child, 'exit') }
}

async function addressOf({ output }: Run): Promise<string> {
  return await vi.waitFor(
    () => /listens at (\S+)[\s\S]*Ctrl-C/.exec(output())?.[1] ?? Promise.reject(new Error(output())),
    30_000,
  )
}

it('a second server on a folder is refused, names the first, and takes over when that one is dead', async () => {
  const dir = await folder()
  const first = await startPlatformProcess(['--dir', dir])
  onTestFinished(() => first.kill())
  await expect(startPlatformProcess(['--dir', dir])).rejects.toThrow(
    new RegExp(`in use by another server, process ${first.child.pid}`),
  )
  await first.kill()
  const second = await startPlatformProcess(['--dir', dir])
  expect(await second.stop()).toBe(0)
  expect(readdirSync(dir)).not.toContain('.ivcap-server')
})

it('a start that fails for its port has created and changed nothing', async () => {
  const dir = await folder()
  await mkdir(join(dir, 'uploads'))
  const taken = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => void taken.close())
  await once(taken, 'listening')
  const address = taken.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const fresh = join(dir, 'fresh')
  for (const data of [dir, fresh]) {
    await expect(startPlatformProcess(['--port', String(port), '--dir', data])).rejects.toThrow(
      /listens there/,
    )
  }
  expect(readdirSync(dir)).toEqual(['uploads'])
  expect(existsSync(fresh)).toBe(false)
})

it('files that are not its own stay in the folder of uploads, and so do notes that it does not understand', async () => {
  const dir = await folder()
  const uploads = join(dir, 'uploads')
  const uuid = '4b0a3c5e-7d5e-4f5a-9a51-0a3f8f1f2a10'
  const foreign = ['thesis.docx', uuid, `${uuid}.json`, '5b0a3c5e-7d5e-4f5a-9a51-0a3f8f1f2a10']
  await mkdir(join(uploads, 'photos'), { recursive: true })
  for (const name of foreign) await writeFile(join(uploads, name), '{"version":99}')
  const server = run(['--dir', dir])
  await addressOf(server)
  server.child.kill('SIGTERM')
  expect(await server.exited).toEqual([0, null])
  expect(readdirSync(uploads).sort()).toEqual([...foreign, 'photos'].sort())
  expect(await readFile(join(uploads, uuid), 'utf8')).toBe('{"version":99}')
  expect(server.output()).toMatch(
    /ignored in the folder of uploads: "4b0a.*\.json" is not an upload description/,
  )
})

it('lives on when the reader of its output has ended, and ends at a signal', async () => {
  const server = run(['--dir', await folder()])
  const url = await addressOf(server)
  server.child.stdout?.destroy()
  for (let i = 0; i < 5; i++) expect((await fetch(`${url}/1/artifacts`)).status).toBe(200)
  server.child.kill('SIGINT')
  expect(await server.exited).toEqual([0, null])
})

it('finishes an upload that is under way, however often the same moment signals', async () => {
  const server = run(['--dir', await folder()])
  const url = await addressOf(server)
  const { href, id } = await begin(url, 6)
  let sendRest = () => {}
  const rest = new Promise<void>((resolve) => {
    sendRest = resolve
  })
  const body = new ReadableStream({
    async start(stream) {
      stream.enqueue(new TextEncoder().encode('abc'))
      await rest
      stream.enqueue(new TextEncoder().encode('def'))
      stream.close()
    },
  })
  const answer = fetch(href, {
    method: 'PATCH',
    body,
    ...{ duplex: 'half' },
    headers: {
      'Tus-Resumable': '1.0.0',
      'Upload-Offset': '0',
      'Content-Type': 'application/offset+octet-stream',
    },
  })
  await vi.waitFor(async () => expect(await recordOf(url, id)).toMatchObject({ status: 'partial' }), 20_000)
  for (let i = 0; i < 2; i++) server.child.kill('SIGTERM')
  await vi.waitFor(() => expect(server.output()).toContain('stopping'), 10_000)
  sendRest()
  expect((await answer).status).toBe(204)
  expect(await server.exited).toEqual([0, null])
})

it('a bucket that is not there is refused before anything is touched', async () => {
  const dir = await folder()
  const child = spawn(
    process.execPath,
    [...COMMAND, '--backend', 's3://no-such-bucket', '--dir', join(dir, 'x')],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {
        ...process.env,
        AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:1',
        AWS_REGION: 'x',
        AWS_ACCESS_KEY_ID: 'x',
        AWS_SECRET_ACCESS_KEY: 'y',
      },
    },
  )
  const [code] = await once(child, 'exit')
  expect(code).toBe(2)
  expect(readdirSync(dir)).toEqual([])
})
