import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './run.mjs'
import { servers } from './servers.mjs'

/** Returns the path of an installed Chromium, searched in the same way as by the tests. @returns {string | undefined} */
export function chromium() {
  return [process.env['IVCAP_TEST_CHROMIUM'] ?? '', '/usr/bin/chromium'].find(
    (path) => path !== '' && existsSync(path),
  )
}

/**
 * Programs that some suites need. `npm test` skips these suites if the program is missing; a CI run must have all of them.
 *
 * @type {readonly { name: string, install: string, present: () => boolean }[]}
 */
export const peers = [
  {
    name: "IVCAP's Python client, reading and writing the same folders and servers",
    install: 'node scripts/install-python-client.mjs',
    present: () => existsSync(process.env['IVCAP_TEST_PYTHON'] || join(root, '.cache/python/bin/python')),
  },
  {
    name: 'the client in a real browser, Chromium',
    install: 'node scripts/install-chromium.mjs, or set IVCAP_TEST_CHROMIUM',
    present: () => chromium() !== undefined,
  },
  ...servers.map(({ name, tests, present }) => ({
    name: tests,
    install: `node scripts/servers.mjs install ${name}`,
    present,
  })),
]
