import { spawnSync } from 'node:child_process'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildWriter } from './support/processes.js'

/** The results of `support/limited.ts`, by store. */
function run(script: string, task: string, dir: string, limit = 'unlimited'): Record<string, unknown> {
  const shell = limit === 'unlimited' ? 'exec "$@"' : `ulimit -n ${limit}; exec "$@"`
  const child = spawnSync('bash', ['-c', shell, 'bash', process.execPath, script, task, dir], {
    encoding: 'utf8',
  })
  return JSON.parse(child.stdout === '' ? JSON.stringify({ failed: child.stderr }) : child.stdout)
}

// limits, permissions and masks as POSIX has them
describe.skipIf(process.platform === 'win32')('a process', () => {
  let folder: string
  let script: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ivcap-limits-'))
    script = join(folder, 'limited.mjs')
    await buildWriter(script, 'limited.ts')
    await chmod(folder, 0o777)
  })
  afterAll(() => rm(folder, { recursive: true }))

  it('with few file descriptors does one after the other what it can not do at once', () => {
    const all = { uploaded: { stored: 100 }, saved: { saved: 100 }, listed: { 'listed 100': 20 } }
    expect(run(script, 'manyFiles', join(folder, 'many'), '64')).toEqual({ local: all, engine: all })
  })

  it('gives all files the permissions that its umask leaves, whatever those of their sources', () => {
    const found = run(script, 'modes', join(folder, 'modes'))
    expect(Object.keys(found)).toEqual(['local', 'engine'])
    for (const modes of Object.values(found)) {
      expect(new Set(Object.values(Object(modes)))).toEqual(new Set(['640']))
    }
  })

  it('that may not read a file says so', () => {
    const dir = join(folder, 'unreadable')
    const told = { meanwhile: 'permission-denied', before: 'permission-denied', left: 0 }
    expect(run(script, 'unreadable', dir)).toEqual({ local: told, engine: told })
  })
})
