// web-only.js FILE: runs a bundle that sees nothing of what only Node has. (Node's own fetch needs these, so they can't just go.)
import { readFile } from 'node:fs/promises'

const nodeOnly = ['process', 'Buffer', 'global', 'setImmediate', 'clearImmediate', 'require', 'module']
// What Vite's own preamble, which preloads chunks, looks at.
const document = { createElement: () => ({ relList: { supports: () => true } }) }
// A Function holds no module syntax: the chunks that are loaded later, and get this file's exports, aren't needed here.
const bundle = (await readFile(process.argv[2], 'utf8'))
  .replaceAll('import.meta', '({})')
  .replace(/^export \{.*\};?$/m, '')
const run = new Function('document', ...nodeOnly, bundle)
run(document)
