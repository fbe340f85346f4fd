// node scripts/install-chromium.mjs: Chromium, for the tests that run in a browser; from Debian's packages, as root.
// Elsewhere: set IVCAP_TEST_CHROMIUM to the program of a Chromium or Chrome.
import { chromium } from './lib/peers.mjs'
import { run } from './lib/run.mjs'

/** Ends this process when apt-get fails, with what it printed. @param {readonly string[]} args */
async function aptGet(args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const { code, output } = await run('apt-get', args, { quiet: true, env }).catch((error) => ({
    code: 1,
    output: String(error),
  }))
  if (code === 0) return
  console.error(`apt-get ${args.join(' ')} failed (it needs root, on Debian):\n${output.trimEnd()}`)
  process.exit(1)
}

if (chromium() === undefined) {
  await aptGet(['update', '--quiet'])
  await aptGet(['install', '--yes', '--quiet', '--no-install-recommends', 'chromium'])
}
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
