// web-only.js FILE: runs a bundle without what only Node has.
import { pathToFileURL } from 'node:url'

const bundle = pathToFileURL(process.argv[2])
for (const name of ['process', 'Buffer', 'global', 'setImmediate', 'clearImmediate']) delete globalThis[name]
// What Vite's own preamble, which preloads chunks, looks at.
globalThis.document = { createElement: () => ({ relList: { supports: () => true } }) }
await import(bundle)
