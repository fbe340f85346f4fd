// node scripts/install-chromium.mjs: installs Chromium from Debian's packages, for the tests that run in a browser. Needs root.
// On other systems, set IVCAP_TEST_CHROMIUM to the path of a Chromium or Chrome.
import { aptInstall } from './lib/apt.mjs'
import { helpFor } from './lib/help.mjs'
import { chromium } from './lib/peers.mjs'
import { run } from './lib/run.mjs'

helpFor(import.meta.url)

if (chromium() === undefined) await aptInstall(['chromium'])
const found = chromium()
if (found === undefined) {
  console.error(
    'Chromium was installed, but not as /usr/bin/chromium: set IVCAP_TEST_CHROMIUM to its program',
  )
  process.exit(1)
}
const { code, output } = await run(found, ['--version'], { quiet: true })
console.log(`${output.trim()} is ${found}`)
process.exit(code)
