// node scripts/bundle.mjs "export * from '@ivcap/core'" packages/core: prints how many bytes a browser loads for this import.

import { browserBytes } from './lib/bundle.mjs'
import { helpFor } from './lib/help.mjs'

helpFor(import.meta.url)

const [source = '', folder = ''] = process.argv.slice(2)
console.log(await browserBytes(source, folder))
