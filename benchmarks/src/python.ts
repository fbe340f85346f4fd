import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Contender, Place, Sample } from './benchmark.js'
import { TOKEN } from './deployment.js'

const fromDist = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** A Python that has IVCAP's client; undefined where none is known. */
const python: string | undefined = [
  process.env['IVCAP_TEST_PYTHON'] ?? '',
  fromDist('../../.cache/python/bin/python'),
].find((path) => path !== '' && existsSync(path))

/** Contenders that run the Python client; where there is none, they are left out by name. */
export function withPython(contenders: Readonly<Record<string, Contender>>): {
  readonly contenders: Readonly<Record<string, Contender>>
  readonly skipped?: Readonly<Record<string, string>>
} {
  if (python !== undefined) return { contenders }
  const why = 'IVCAP_TEST_PYTHON names no Python with ivcap-client'
  return { contenders: {}, skipped: Object.fromEntries(Object.keys(contenders).map((name) => [name, why])) }
}

/** What python/artifacts.py says of a command: the client measures itself as ours does. */
export const pythonArtifacts = (place: Place, ...args: readonly string[]): Promise<Sample> =>
  runPython('artifacts.py', args, place.url === undefined ? {} : { IVCAP_URL: place.url, IVCAP_JWT: TOKEN })

/** What the Python client does with the aspects of a folder: `add` so many, list those of an `entity`, or ten of a `schema`. */
export const pythonAspects = (
  folder: string,
  command: 'add' | 'entity' | 'schema',
  what: string,
): Promise<Sample> => runPython('aspects.py', [folder, command, what])

async function runPython(
  script: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<Sample> {
  if (python === undefined) throw new Error('there is no Python with ivcap-client')
  const { stdout } = await promisify(execFile)(python, [fromDist(`../python/${script}`), ...args], {
    env: { PATH: process.env['PATH'], ...env },
  })
  const sample: Sample = JSON.parse(stdout)
  return sample
}
