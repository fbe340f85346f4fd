import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Harness } from './harness.js'

/** A harness for places that live in a folder: each is a new folder of the machine's temporary ones, removed at the end. */
export function inFolder<T, C>(at: (dir: string) => T, capabilities: C): Harness<T, C> {
  let dir: string | undefined
  const reopen = async () => {
    if (dir === undefined) throw new Error('reopen comes after open')
    return at(dir)
  }
  return {
    capabilities,
    async open() {
      dir = await mkdtemp(join(tmpdir(), 'ivcap-conformance-'))
      return reopen()
    },
    reopen,
    async close() {
      if (dir !== undefined) await rm(dir, { recursive: true, force: true })
      dir = undefined
    },
  }
}
