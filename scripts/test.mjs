// npm test [-- vitest arguments]: sets up the clone and runs the tests.
// IVCAP_REQUIRE_ALL=1: fails if a suite can't run because its peer is missing.

import { helpFor } from './lib/help.mjs'
import { peers } from './lib/peers.mjs'
import { run } from './lib/run.mjs'
import { setUp } from './lib/setup.mjs'

helpFor(import.meta.url)

await setUp()
const vitest = await run(process.execPath, [
  'node_modules/vitest/vitest.mjs',
  'run',
  ...process.argv.slice(2),
])

const missing = peers.filter((peer) => !peer.present())
for (const peer of missing) console.log(`not run: ${peer.name} (to have it: ${peer.install})`)
const incomplete = missing.length > 0 && process.env['IVCAP_REQUIRE_ALL'] === '1'
if (incomplete) console.error('IVCAP_REQUIRE_ALL=1 is set, so nothing may be missing.')
process.exit(vitest.code !== 0 || incomplete ? 1 : 0)
