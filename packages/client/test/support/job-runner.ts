/** A process with a job that never ends: `node job-runner.mjs <folder>` says which in a line of JSON, and waits to be killed. */
import { writeSync } from 'node:fs'
import { localBackend } from '@ivcap/backend-local'
import { Ivcap } from '@ivcap/core'
import { functionServices } from '@ivcap/services'

const backend = localBackend({ baseDir: process.argv[2] ?? '' })
const never = { name: 'never', run: () => new Promise(() => {}) }
const echo = { name: 'echo', run: (params: object) => params }
const ivcap = new Ivcap({ ...backend, services: functionServices(backend, [never, echo]) })

const done = await (await ivcap.getServiceByName('echo')).requestJob({ depth: 34 }, { timeout: 60_000 })
const job = await (await ivcap.getServiceByName('never')).requestJob({})
writeSync(1, `${JSON.stringify({ done: done.id, running: job.id })}\n`)
