import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * The file that the user named on the command line, else a sample of this folder's `data/`. npm and pnpm run scripts in
 * the folder of the package; INIT_CWD is where the user called them, and what a relative path means to the user.
 */
export function inputPath(sample: 'ctd-casts.csv' | 'reef-quadrat.png'): string {
  const named = process.argv[2]
  if (named === undefined) return fileURLToPath(new URL(`../data/${sample}`, import.meta.url))
  return resolve(process.env['INIT_CWD'] ?? process.cwd(), named)
}
