import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { localBackend } from '@ivcap/backend-local'
import { memoryBackend } from '@ivcap/backend-memory'
import { Ivcap } from '@ivcap/core'
import { afterEach } from 'vitest'

const cleanups: (() => Promise<unknown>)[] = []

afterEach(async () => {
  await Promise.all(cleanups.splice(0).map((cleanup) => cleanup()))
})

/** A folder of this test's own, removed after it. */
export async function tempDir(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'ivcap-test-'))
  cleanups.push(() => rm(dir, { recursive: true, force: true }))
  return dir
}

/** A client for each kind of backend that needs no server. */
export const places = {
  local: async () =>
    new Ivcap(localBackend({ baseDir: join(await tempDir(), 'artifacts') }), { stateDir: false }),
  memory: async () => new Ivcap(memoryBackend(), { stateDir: false }),
}
