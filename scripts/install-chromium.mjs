// node scripts/install-chromium.mjs: Chromium, for the tests that run in a browser; from Debian's packages, as root.
// Elsewhere: set IVCAP_TEST_CHROMIUM to the program of a Chromium or Chrome.
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
