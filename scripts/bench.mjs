// npm run bench [-- names, options]: builds the packages and runs the benchmarks; see benchmarks/README.md.
import { join } from 'node:path'
import { helpFor } from './lib/help.mjs'
import { root, run } from './lib/run.mjs'
import { build, setUp } from './lib/setup.mjs'

helpFor(import.meta.url)

await setUp()
const built = await build(['@ivcap/benchmarks...'])
if (built.code !== 0) {
  console.error(built.output)
  process.exit(built.code)
}
const { code } = await run(process.execPath, [join(root, 'benchmarks/dist/run.js'), ...process.argv.slice(2)])
process.exit(code)
