import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** The folder of the examples. */
export const examples = fileURLToPath(new URL('../..', import.meta.url))

const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href

export interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/**
 * Runs a TypeScript file as the package's scripts do: a process of its own, packages taken from their sources, no deployment in
 * the environment.
 */
export function runScript(
  file: string,
  {
    args = [],
    cwd = examples,
    env = {},
  }: { args?: readonly string[]; cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<Outcome> {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(IVCAP_|INIT_CWD$|FORCE_COLOR$|NODE_OPTIONS$|VITEST)/.test(name),
  )
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      ['--conditions=source', '--import', tsx, file, ...args],
      { cwd, env: { ...Object.fromEntries(inherited), ...env } },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : error.code
        if (typeof code === 'number') resolve({ code, stdout, stderr })
        else reject(error)
      },
    )
  })
}
