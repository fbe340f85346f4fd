import { stat } from 'node:fs/promises'
import { IvcapError } from '@ivcap/core/driver'
import { backendOf } from './backends.js'
import type { PlatformOptions } from './platform.js'

/**
 * Prints what is damaged or orphaned in the data, a line each. Changes nothing.
 *
 * @returns the exit code: 0 if all is well, else 1
 * @throws IvcapError `not-found` if there is no folder, `unsupported` for a backend that cannot be verified
 */
export async function check(
  { dir, backend }: PlatformOptions,
  print: (line: string) => void,
): Promise<0 | 1> {
  const data = backend ?? (await folderBackend(dir))
  try {
    if (data.verify === undefined) {
      throw new IvcapError('unsupported', '--check: this backend has no way to verify its data', {
        argument: 'check',
      })
    }
    const problems = await data.verify({})
    for (const { kind, resource, message, repairable } of problems) {
      print(`${kind}  ${resource}: ${message}${repairable ? ' (repair() mends it)' : ''}`)
    }
    print(
      problems.length === 0 ? 'Everything is in order.' : `${problems.length} found, nothing was changed.`,
    )
    return problems.length === 0 ? 0 : 1
  } finally {
    await data.close?.()
  }
}

async function folderBackend(dir = '') {
  const found = await stat(dir).catch(() => undefined)
  if (found?.isDirectory()) return backendOf('folder', dir)
  throw new IvcapError('not-found', `--check: there is no folder ${dir}`, { argument: 'dir' })
}
