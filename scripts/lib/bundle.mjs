import { join, relative } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { root } from './run.mjs'

/**
 * Returns how many bytes a browser loads when it imports a module, minified and gzipped. Chunks that the module imports
 * dynamically do not count.
 *
 * @param {string} contents of the module, e.g. `export * from '@ivcap/core'`
 * @param {string} folder whose package imports it
 */
export async function browserBytes(contents, folder) {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: join(root, folder) },
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    splitting: true,
    outdir: root,
    format: 'esm',
    logLevel: 'error', // hides warnings about the bare imports of chunks that tsup writes
    platform: 'browser', // the build fails if a Node module is imported
    conditions: ['browser', 'import', 'default'],
  })
  const loaded = new Set(['stdin.js'])
  for (const name of loaded) {
    const { imports = [] } = metafile.outputs[name] ?? {}
    for (const { kind, path } of imports) if (kind === 'import-statement') loaded.add(path)
  }
  const names = outputFiles.map(({ path, contents }) => ({ name: relative(root, path), contents }))
  return names
    .filter(({ name }) => loaded.has(name))
    .reduce((sum, { contents }) => sum + gzipSync(contents, { level: 9 }).length, 0)
}
