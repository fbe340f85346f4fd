// web-only.js FILE: runs a bundle that sees nothing of what only Node has. (Node's own fetch needs these, so they can't just go.)
import { readFile } from 'node:fs/promises'

const nodeOnly = ['process', 'Buffer', 'global', 'setImmediate', 'clearImmediate', 'require', 'module']
// What Vite's own preamble, which preloads chunks, looks at.
const document = { createElement: () => ({ relList: { supports: () => true } }) }
const run = new Function('document', ...nodeOnly, await readFile(process.argv[2], 'utf8'))
run(document)
