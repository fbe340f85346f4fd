// npm run demo [-- path/to/any/file]: sets the clone up, builds what the demo needs and runs it.
import { join } from 'node:path'
import { root, run } from './lib/run.mjs'
import { build, setUp } from './lib/setup.mjs'

await setUp()
const built = await build(['@ivcap/examples...'])
if (built.code !== 0) {
  console.error(built.output)
  process.exit(built.code)
}
const { code } = await run(
  process.execPath,
  [join(root, 'apps/examples/src/demo.js'), ...process.argv.slice(2)],
  {
    // A relative path means the folder that the user typed it in.
    cwd: process.env['INIT_CWD'] ?? process.cwd(),
  },
)
process.exit(code)
