// npm run faults [-- --seed N] [--rounds N] [--backend NAME]: runs the fault simulation of each backend, starting at that seed.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { optionsOf } from './lib/help.mjs'
import { root, run } from './lib/run.mjs'
import { setUp } from './lib/setup.mjs'

/** Rounds per run of vitest, which reports only at its end. */
const BATCH = 100

const { values } = optionsOf(import.meta.url, {
  options: {
    seed: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '100' },
    backend: { type: 'string', multiple: true },
  },
})
for (const name of /** @type {const} */ (['seed', 'rounds'])) {
  if (!/^\d+$/.test(values[name])) throw new Error(`--${name} is no number: ${values[name]}`)
}

const all = readdirSync(join(root, 'packages'))
  .filter((name) => /^(backend|storage)-/.test(name))
  .map((name) => `packages/${name}/test/fault-simulation.test.ts`)
const files = all.filter((file) => existsSync(join(root, file)))
const wanted = values.backend?.map((name) => {
  const file = files.find((path) => [`backend-${name}`, `storage-${name}`].includes(path.split('/')[1] ?? ''))
  if (file === undefined)
    throw new Error(`--backend ${name} is none of those that have a fault simulation: ${files.join(', ')}`)
  return file
})

await setUp()
const end = Number(values.seed) + Number(values.rounds)
let failed = 0
// If the script is interrupted, the batches before have already been reported.
for (let seed = Number(values.seed); seed < end; seed += BATCH) {
  const env = {
    ...process.env,
    IVCAP_FAULTS_SEED: `${seed}`,
    IVCAP_FAULTS_ROUNDS: `${Math.min(BATCH, end - seed)}`,
  }
  const { code } = await run(
    process.execPath,
    ['node_modules/vitest/vitest.mjs', 'run', ...(wanted ?? files)],
    { env },
  )
  failed ||= code
}
process.exit(failed)
