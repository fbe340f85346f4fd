import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Place, Sample } from './benchmark.js'
import { TOKEN, urlOf } from './deployment.js'

const fromDist = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** A Python that has IVCAP's client; undefined where none is known. */
export const python: string | undefined = [
  process.env['IVCAP_TEST_PYTHON'] ?? '',
  fromDist('../../.cache/python/bin/python'),
].find((path) => path !== '' && existsSync(path))

/** The same upload with IVCAP's Python client, which measures itself as ours does. */
export async function pythonUpload(place: Place, path: string): Promise<Sample> {
  if (python === undefined) throw new Error('there is no Python with ivcap-client')
  const { stdout } = await promisify(execFile)(python, [fromDist('../python/upload.py'), path], {
    env: { PATH: process.env['PATH'], IVCAP_URL: urlOf(place), IVCAP_JWT: TOKEN },
  })
  const sample: Sample = JSON.parse(stdout)
  return sample
}

/** What the Python client does with the aspects of a folder: `add` so many, list those of an `entity`, or ten of a `schema`. */
export async function pythonAspects(
  folder: string,
  command: 'add' | 'entity' | 'schema',
  what: string,
): Promise<Sample> {
  if (python === undefined) throw new Error('there is no Python with ivcap-client')
  const args = [fromDist('../python/aspects.py'), folder, command, what]
  const { stdout } = await promisify(execFile)(python, args, { env: { PATH: process.env['PATH'] } })
  const sample: Sample = JSON.parse(stdout)
  return sample
}
