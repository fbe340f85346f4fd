import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { StorageSharedKeyCredential } from '@azure/storage-blob'
import { afterAll } from 'vitest'

/** Azurite's well-known account: https://learn.microsoft.com/azure/storage/common/storage-use-azurite */
const ACCOUNT = 'devstoreaccount1'
const KEY = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=='

export interface AzureServer {
  /** With the account. */
  readonly url: string
  readonly credential: StorageSharedKeyCredential
}

/** Starts Azurite's blob service, in memory; it is stopped after the file's last test. */
export async function startAzurite(): Promise<AzureServer> {
  const folder = await mkdtemp(join(tmpdir(), 'azurite-'))
  const script = createRequire(import.meta.url).resolve('azurite/dist/src/blob/main.js')
  const options = ['--inMemoryPersistence', '--silent', '--disableTelemetry', '--skipApiVersionCheck']
  const child = spawn(process.execPath, [script, '--blobPort', '0', ...options], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  afterAll(async () => {
    child.kill('SIGKILL')
    await exited
    await rm(folder, { recursive: true, force: true })
  })
  const lines = createInterface(child.stdout)
  for await (const line of lines) {
    const [, url] = /listens on (http:\S+)/.exec(line) ?? []
    if (url === undefined) continue
    // its output must go on being read
    child.stdout.resume()
    return { url: `${url}/${ACCOUNT}`, credential: new StorageSharedKeyCredential(ACCOUNT, KEY) }
  }
  throw new Error('Azurite ended before it listened')
}
