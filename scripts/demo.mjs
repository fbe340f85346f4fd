// npm run demo [-- path/to/any/file]: sets up the clone and runs the demo from its sources.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { helpFor } from './lib/help.mjs'
import { root, run } from './lib/run.mjs'
import { setUp } from './lib/setup.mjs'

helpFor(import.meta.url)

await setUp()
const examples = join(root, 'apps/examples')
const tsx = pathToFileURL(createRequire(join(examples, 'package.json')).resolve('tsx')).href
const demo = ['--conditions=source', '--import', tsx, join(examples, 'src/demo.ts')]
const { code } = await run(process.execPath, [...demo, ...process.argv.slice(2)], {
  // Not in the user's folder, which may have a tsconfig.json of another project. INIT_CWD is the base of relative paths.
  cwd: examples,
  env: { ...process.env, INIT_CWD: process.env['INIT_CWD'] ?? process.cwd() },
})
process.exit(code)
