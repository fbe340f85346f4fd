import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { root } from './run.mjs'

/**
 * Bytes of everything that a browser loads for a module, minified and gzipped.
 *
 * @param {string} contents of the module, e.g. `export * from '@ivcap/core'`
 * @param {string} folder whose package imports it
 */
export async function browserBytes(contents, folder) {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: join(root, folder) },
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'browser', // with it, a Node module that slipped in can't be resolved
    conditions: ['browser', 'import', 'default'],
  })
  return outputFiles.reduce((sum, file) => sum + gzipSync(file.contents, { level: 9 }).length, 0)
}
