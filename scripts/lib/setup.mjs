import { createHash } from 'node:crypto'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { manifest, root, run, tool } from './run.mjs'

const stampFile = join(root, 'node_modules', '.setup')

/** Returns a stamp of the installed dependencies. Any other install changes `.modules.yaml` and so the stamp. */
function stamp() {
  try {
    const lock = createHash('sha256')
      .update(readFileSync(join(root, 'pnpm-lock.yaml')))
      .digest('hex')
    return `${lock} ${statSync(join(root, 'node_modules', '.modules.yaml')).mtimeMs}\n`
  } catch {
    return undefined
  }
}

function installed() {
  try {
    return readFileSync(stampFile, 'utf8') === stamp()
  } catch {
    return false
  }
}

/** Ends the process with a message if this Node cannot run the project's tools. */
function requireNode() {
  const wanted = manifest.engines.node.replace('>=', '')
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const [wantedMajor = 0, wantedMinor = 0] = wanted.split('.').map(Number)
  if (major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)) return
  console.error(`This project needs Node ${wanted} or newer; this is Node ${process.versions.node}.`)
  console.error('Install a current Node from https://nodejs.org (or `nvm install`, `fnm use`) and try again.')
  process.exit(1)
}

const install = ['install', '--frozen-lockfile', '--prefer-offline']

/**
 * Prepares the clone: checks Node, and installs the locked dependencies unless they are already installed. This needs neither
 * corepack nor a global pnpm. Afterwards pnpm is one of the dependencies, where turbo finds it.
 */
export async function setUp() {
  requireNode()
  if (installed()) return
  console.log('Installing the dependencies (the first time only, up to a minute) …')
  const { code, output } = await run('npx', ['--yes', manifest.packageManager, ...install], { quiet: true })
  if (code !== 0) {
    console.error(`${output.trimEnd()}\n\nThe dependencies could not be installed: see above.`)
    process.exit(1)
  }
  writeFileSync(stampFile, stamp() ?? '')
}

/**
 * Builds the packages whose sources changed since the last build.
 *
 * @param {readonly string[]} [filters] turbo filters, e.g. "@ivcap/client..."; none: everything
 */
export async function build(filters = []) {
  const selected = filters.map((filter) => `--filter=${filter}`)
  return tool('turbo', ['run', 'build', '--output-logs=errors-only', ...selected], { quiet: true })
}
