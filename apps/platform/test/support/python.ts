import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { onTestFinished } from 'vitest'
import { folder } from './server.js'

const fromHere = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** A Python that has IVCAP's client; undefined where none is installed. */
export const python: string | undefined = [
  process.env['IVCAP_TEST_PYTHON'] ?? '',
  fromHere('../../../../.cache/python/bin/python'),
].find((path) => path !== '' && existsSync(path))

/** Runs one of the scenarios with IVCAP's Python client; what it prints, parsed. */
export async function runPython(
  { url, token }: { readonly url: string; readonly token?: string },
  scenario: string,
  ...args: readonly string[]
): Promise<unknown> {
  if (python === undefined) throw new Error('There is no Python with ivcap-client')
  const stopped = new AbortController()
  onTestFinished(() => stopped.abort())
  const { stdout } = await promisify(execFile)(
    python,
    [fromHere('../python/scenarios.py'), scenario, ...args],
    {
      signal: stopped.signal,
      env: {
        PATH: process.env['PATH'],
        PYTHONDONTWRITEBYTECODE: '1',
        SCRATCH: await folder(),
        ...(token === undefined ? { IVCAP_BASE_URL: url } : { IVCAP_URL: url, IVCAP_JWT: token }),
      },
    },
  )
  const said: unknown = JSON.parse(stdout)
  return said
}
