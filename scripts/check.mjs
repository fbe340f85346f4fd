// npm run check: runs all checks except the tests. Prints one line per step, and the output of a step only if it fails.

import { helpFor } from './lib/help.mjs'
import { pack, publicPackages, tarballOf } from './lib/packages.mjs'
import { run, step, tool } from './lib/run.mjs'
import { build, setUp } from './lib/setup.mjs'

helpFor(import.meta.url)

await setUp()

/** @param {string} name @param {readonly string[]} args */
const quietly = (name, args) => tool(name, args, { quiet: true })

/** Runs `work` on every packed package, one after the other. @param {(tarball: string, esmOnly: boolean) => ReturnType<typeof run>} work */
async function eachTarball(work) {
  let code = 0
  let output = ''
  for (const published of publicPackages()) {
    const result = await work(tarballOf(published), published.esmOnly)
    code ||= result.code
    if (result.code !== 0) output += `${published.name}\n${result.output}\n`
  }
  return { code, output }
}

const results = [
  await step('format and lint', () => quietly('biome', ['ci', '.'])),
  await step('types', () =>
    quietly('turbo', ['run', 'typecheck', 'typecheck:root', '--output-logs=errors-only']),
  ),
  await step('layers', () => quietly('depcruise', ['packages', 'apps', '--output-type', 'err-long'])),
  await step('tests of the known failures', () =>
    run(process.execPath, ['scripts/known-failures.mjs', '--check'], { quiet: true }),
  ),
  await step('unused files, exports and dependencies', () =>
    quietly('knip', ['--treat-config-hints-as-errors']),
  ),
]

const built = (await step('build', () => build())) && (await step('pack', pack))
results.push(built)
if (built) {
  results.push(
    await step('publint', () => eachTarball((tarball) => quietly('publint', ['--strict', tarball]))),
    // The node10 resolution ignores "exports"; all later ones read them.
    await step('types of the packed packages', () =>
      eachTarball((tarball, esmOnly) =>
        quietly('attw', ['--profile', esmOnly ? 'esm-only' : 'node16', tarball]),
      ),
    ),
    await step('size', async () => {
      const result = await run(process.execPath, ['scripts/size.mjs'], { quiet: true })
      console.log(result.output.trimEnd())
      return result.code === 0 ? result : { code: result.code, output: '' }
    }),
  )
}
process.exit(results.every(Boolean) ? 0 : 1)
