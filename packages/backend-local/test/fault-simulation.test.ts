import * as nodeFsSync from 'node:fs'
import * as nodeFs from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeFaults, jumpingClock, randomOf, runFaults } from '@ivcap/conformance'
import { killedWriter } from '@ivcap/conformance/killed-writer'
import { expect, it } from 'vitest'
import { localBackend } from '../src/index.js'
import { errno, type Watcher, watched } from './support/failing-fs.js'
import { tempFolder } from './temp-folder.js'

const WRITER = new URL('support/fault-simulation-writer.ts', import.meta.url)
const DISK = { ...nodeFs, sync: nodeFsSync }

describeFaults('local', {
  rounds: 6,
  async open(seed) {
    const baseDir = await nodeFs.mkdtemp(join(tmpdir(), 'ivcap-local-faults-'))
    const random = randomOf(seed)
    const fs = watched(DISK, failingNowAndThen(random))
    return {
      faulty: localBackend({ baseDir, fs, clock: jumpingClock(random) }),
      others: [killedWriter(WRITER, baseDir)],
      healthy: async () => localBackend({ baseDir }),
      close: () => nodeFs.rm(baseDir, { recursive: true }),
    }
  },
})

it('catches a process that acknowledges what its death undoes', { timeout: 60_000 }, async () => {
  const hasty = new URL('support/hasty-writer.ts', import.meta.url)
  const { failed } = await runFaults({
    seed: 1,
    rounds: 12,
    writers: 0,
    async open() {
      const baseDir = await tempFolder()
      const faulty = localBackend({ baseDir })
      return { faulty, others: [killedWriter(hasty, baseDir)], healthy: async () => faulty }
    },
  })
  expect(failed.flatMap(({ problems }) => problems).join('\n')).toMatch(/is retracted, and/)
})

function failingNowAndThen(random: () => number): Watcher {
  const one = (codes: readonly string[]) => codes[Math.floor(random() * codes.length)] ?? ''
  return {
    change: () => {
      if (random() < 0.02) throw errno(one(['ENOSPC', 'EIO', 'EMFILE']))
    },
    written: () => (random() < 0.1 ? 1 : Number.POSITIVE_INFINITY),
    reading: () => {
      if (random() < 0.005) throw errno(one(['EIO', 'EMFILE']))
    },
  }
}
