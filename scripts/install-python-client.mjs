// node scripts/install-python-client.mjs: installs IVCAP's Python client in .cache/python, for the tests that run it with ours.
// Needs python3 (3.11 or later) with venv and pip.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { helpFor } from './lib/help.mjs'
import { root, run } from './lib/run.mjs'

helpFor(import.meta.url)

const VERSION = '0.47.21'
const folder = join(root, '.cache/python')
const python = join(folder, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python')

const installed = async () => {
  if (!existsSync(python)) return undefined
  const asked = "from importlib.metadata import version; print(version('ivcap-client'))"
  const { code, output } = await run(python, ['-c', asked], { quiet: true })
  return code === 0 ? output.trim() : undefined
}

/**
 * Runs a program. If it fails, prints its output and ends this process.
 *
 * @param {string} program
 * @param {readonly string[]} args
 */
async function must(program, args) {
  const { code, output } = await run(program, args, { quiet: true })
  if (code === 0) return
  console.error(`${program} ${args.join(' ')} failed:\n${output.trimEnd()}`)
  process.exit(1)
}

if ((await installed()) !== VERSION) {
  await must(process.platform === 'win32' ? 'python' : 'python3', ['-m', 'venv', '--clear', folder])
  await must(python, [
    '-m',
    'pip',
    'install',
    '--quiet',
    '--disable-pip-version-check',
    `ivcap-client==${VERSION}`,
  ])
}
console.log(`ivcap-client ${VERSION} is in ${folder}`)
