import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Backend, BlobStore } from '@ivcap/core/driver'
import type { Harness } from './harness.js'

/** A harness for stores in a folder. `open` creates a new temporary folder; `close` removes it. */
export function inFolder<T extends Backend | BlobStore, C>(
  at: (dir: string) => T,
  capabilities: C,
): Harness<T, C> {
  let dir: string | undefined
  let opened: T[] = []
  const reopen = async () => {
    if (dir === undefined) throw new Error('reopen comes after open')
    const place = at(dir)
    opened.push(place)
    return place
  }
  return {
    capabilities,
    async open() {
      dir = await mkdtemp(join(tmpdir(), 'ivcap-conformance-'))
      return reopen()
    },
    reopen,
    async close() {
      // A store may still write after its calls have resolved, so it is closed before its folder is removed.
      await Promise.all(opened.map(async (place) => 'close' in place && place.close?.()))
      opened = []
      if (dir !== undefined) await rm(dir, { recursive: true, force: true })
      dir = undefined
    },
  }
}
