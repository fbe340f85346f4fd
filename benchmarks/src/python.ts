import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Contender, Place, Sample } from './benchmark.js'
import { TOKEN } from './deployment.js'

const fromDist = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** Path of a Python with IVCAP's client; undefined if none is found. */
const python: string | undefined = [
  process.env['IVCAP_TEST_PYTHON'] ?? '',
  fromDist('../../.cache/python/bin/python'),
].find((path) => path !== '' && existsSync(path))

/** Returns contenders that run the Python client. If it is not installed, they are skipped by name. */
export function withPython(contenders: Readonly<Record<string, Contender>>): {
  readonly contenders: Readonly<Record<string, Contender>>
  readonly skipped?: Readonly<Record<string, string>>
} {
  if (python !== undefined) return { contenders }
  const why = 'IVCAP_TEST_PYTHON names no Python with ivcap-client'
  return { contenders: {}, skipped: Object.fromEntries(Object.keys(contenders).map((name) => [name, why])) }
}

/** Runs a command of python/artifacts.py. The Python client measures itself, as ours does. */
export const pythonArtifacts = (place: Place, ...args: readonly string[]): Promise<Sample> =>
  runPython('artifacts.py', args, place.url === undefined ? {} : { IVCAP_URL: place.url, IVCAP_JWT: TOKEN })

/** Runs the Python client on a folder: adds `what` aspects, or lists the aspects of an entity or ten aspects of a schema. */
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
