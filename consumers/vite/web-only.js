// web-only.js FILE: runs a bundle and the chunks beside it, which see nothing of what only Node has. (Node's own fetch needs these,
// so they can't just go.)
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'

const nodeOnly = ['process', 'Buffer', 'global', 'setImmediate', 'clearImmediate', 'require', 'module']
const hidden = `const ${nodeOnly.map((name) => `${name} = undefined`).join(', ')};\n`

const [, , file] = process.argv
const chunks = dirname(file)
const copies = join(chunks, '..', 'web-only')
await mkdir(copies)
for (const name of await readdir(chunks)) {
  if (name.endsWith('.js'))
    await writeFile(join(copies, name), hidden + (await readFile(join(chunks, name), 'utf8')))
}
// what Vite's own code, which preloads chunks, looks at
globalThis.document = {
  createElement: () => ({ relList: { supports: () => true } }),
  getElementsByTagName: () => [],
  querySelector: () => null,
  head: { appendChild: () => {} },
}
await import(pathToFileURL(join(copies, basename(file))))
