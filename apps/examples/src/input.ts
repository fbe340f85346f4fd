import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * Returns the file that the user named on the command line, else a sample from this package's `data/`. npm and pnpm run scripts
 * in the folder of the package. INIT_CWD is the folder in which the user called them, so relative paths are resolved there.
 */
export function inputPath(sample: 'ctd-casts.csv' | 'reef-quadrat.png'): string {
  const named = process.argv[2]
  if (named === undefined) return fileURLToPath(new URL(`../data/${sample}`, import.meta.url))
  return resolve(process.env['INIT_CWD'] ?? process.cwd(), named)
}
