import { run } from './run.mjs'

/** Runs apt-get. If it fails, prints its output and ends this process. @param {readonly string[]} args */
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

/** Installs Debian packages without the ones that they only recommend. Needs root. @param {readonly string[]} packages */
export async function aptInstall(packages) {
  await aptGet(['update', '--quiet'])
  await aptGet(['install', '--yes', '--quiet', '--no-install-recommends', ...packages])
}
