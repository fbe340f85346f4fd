import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { testServices } from '@ivcap/conformance'
import { type Platform, startPlatform } from '@ivcap/platform-server'
import { onTestFinished } from 'vitest'

export const TOKEN = 'canary-7c1f0e52-token'

/** A folder of its own. */
export async function temporary() {
  const path = await mkdtemp(join(tmpdir(), 'ivcap-backend-platform-'))
  return { path, remove: () => rm(path, { recursive: true, force: true, maxRetries: 5 }) }
}

/** A folder of its own, gone when the test ends. */
export async function folder(): Promise<string> {
  const { path, remove } = await temporary()
  onTestFinished(remove)
  return path
}

/** A deployment that asks for TOKEN and runs the conformance suite's services, for the time of a test. */
export async function deployment(dir?: string): Promise<Platform> {
  const auth = { token: TOKEN }
  const platform = await startPlatform({
    dir: dir ?? (await folder()),
    auth,
    services: testServices,
    shutdownTimeout: 100,
  })
  onTestFinished(() => platform.close())
  return platform
}
