// npm run test:packed [-- vitest arguments]: packs every public package and uses the tarballs as an external project would.

import { helpFor } from './lib/help.mjs'
import { pack } from './lib/packages.mjs'
import { run, step } from './lib/run.mjs'
import { build, setUp } from './lib/setup.mjs'

helpFor(import.meta.url)

await setUp()
if (!((await step('build', () => build())) && (await step('pack', pack)))) process.exit(1)

const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--config', 'consumers/vitest.config.ts']
process.exit((await run(process.execPath, [...vitest, ...process.argv.slice(2)])).code)
