import { execFileSync } from 'node:child_process'
import { readdirSync, readlinkSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach } from 'vitest'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ivcap-test-'))
})
afterEach(() => rm(folder, { recursive: true }))

/** A path in the folder of the test that runs; without a name, the folder itself. */
export const at = (...names: string[]) => join(folder, ...names)

/** A named pipe in that folder. */
export function fifo(): string {
  const path = at('pipe')
  execFileSync('mkfifo', [path])
  return path
}

/** Where the descriptors of this process lead (Linux). */
export function openFiles(): string[] {
  const of = (fd: string) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`)
    } catch {
      return ''
    }
  }
  return readdirSync('/proc/self/fd').map(of)
}
