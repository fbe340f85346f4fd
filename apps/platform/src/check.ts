import { stat } from 'node:fs/promises'
import { IvcapError } from '@ivcap/core/driver'
import { backendOf } from './backends.js'
import type { PlatformOptions } from './platform.js'

/**
 * Prints a line for each damaged or orphaned record. Changes nothing.
 *
 * @returns the exit code: 0 if there is no problem, else 1
 * @throws IvcapError `not-found` if the folder does not exist, `unsupported` if the backend has no `verify`
 */
export async function check(
  { dir, backend }: PlatformOptions,
  print: (line: string) => void,
): Promise<0 | 1> {
  const target = backend ?? (await folderBackend(dir))
  try {
    if (target.verify === undefined) {
      throw new IvcapError('unsupported', '--check: this backend cannot verify its data', {
        argument: 'check',
      })
    }
    const problems = await target.verify({})
    for (const { kind, resource, message, repairable } of problems) {
      print(`${kind}  ${resource}: ${message}${repairable ? ' (repair() mends it)' : ''}`)
    }
    print(
      problems.length === 0 ? 'Everything is in order.' : `${problems.length} found, nothing was changed.`,
    )
    return problems.length === 0 ? 0 : 1
  } finally {
    await target.close?.()
  }
}

async function folderBackend(dir = '') {
  const stats = await stat(dir).catch(() => undefined)
  if (stats?.isDirectory()) return backendOf('folder', dir)
  throw new IvcapError('not-found', `--check: the folder ${dir} does not exist`, { argument: 'dir' })
}
