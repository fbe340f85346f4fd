// What becomes of jobs whose process dies.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { localBackend } from '@ivcap/backend-local'
import { functionServices } from '@ivcap/services'
import { build } from 'esbuild'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Ivcap } from '../src/index.js'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ivcap-jobs-'))
  await build({
    entryPoints: [fileURLToPath(new URL('support/job-runner.ts', import.meta.url))],
    outfile: join(folder, 'job-runner.mjs'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    conditions: ['source'],
    logLevel: 'error',
  })
})
afterAll(() => rm(folder, { recursive: true, force: true }))

it('a job outlives its process; one that it left running is found', { timeout: 60_000 }, async () => {
  const baseDir = join(folder, 'data')
  const child = spawn(process.execPath, [join(folder, 'job-runner.mjs'), baseDir])
  const exited = once(child, 'exit')
  const [line] = await once(createInterface({ input: child.stdout }), 'line')
  const { done, running } = JSON.parse(String(line))

  const backend = localBackend({ baseDir })
  const names = ['never', 'echo'].map((name) => ({ name, run: () => 0 }))
  const ivcap = new Ivcap({ ...backend, services: functionServices(backend, names) })
  const [never, echo] = [await ivcap.getServiceByName('never'), await ivcap.getServiceByName('echo')]
  expect((await never.getJob(running)).status).toBe('executing')

  child.kill('SIGKILL')
  await exited
  const left = await never.getJob(running)
  expect([left.status, left.finished]).toEqual(['error', true])
  expect(left.errorMessage).toMatch(/process that ran this job has ended/)
  expect((await never.jobs().toArray()).map(({ status }) => status)).toEqual(['error'])
  expect((await echo.getJob(done)).result).toEqual({ depth: 34 })
  await ivcap.close()
})
