import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { type Platform, type PlatformOptions, startPlatform } from '../../src/index.js'

/** A folder of its own, gone when the test ends. */
export async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'ivcap-platform-test-'))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  return dir
}

/** A server for the time of a test. */
export async function started(o: PlatformOptions = {}): Promise<Platform> {
  const dir = o.dir ?? (await folder())
  const platform = await startPlatform({ ...o, dir })
  onTestFinished(() => platform.close())
  return platform
}
