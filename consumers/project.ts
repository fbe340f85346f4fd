import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { cpSync, rmSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { publicPackages, tarballOf } from '../scripts/lib/packages.mjs'

const execute = promisify(execFile)

/** The environment of a user's shell: without what vitest adds to its own. */
const env = Object.fromEntries(
  Object.entries({ ...process.env, NO_COLOR: '1' }).filter(
    ([name]) => !/^(VITEST|NODE_ENV|FORCE_COLOR|TEST$)/.test(name),
  ),
)

/** A project of a stranger, outside this repository, with our packages installed from their tarballs. */
export class Project {
  readonly folder = join(tmpdir(), `ivcap-consumer-${randomUUID()}`)

  /** Installs what package.json in `consumers/<name>` asks for; packages of ours, wherever asked for, from their tarballs. */
  async install(name: string): Promise<void> {
    cpSync(join(import.meta.dirname, name), this.folder, { recursive: true })
    const ours = Object.fromEntries(publicPackages().map((one) => [one.name, `file:${tarballOf(one)}`]))
    const file = join(this.folder, 'package.json')
    const manifest: { dependencies: Record<string, string> } = JSON.parse(await readFile(file, 'utf8'))
    const dependencies = Object.fromEntries(
      Object.entries(manifest.dependencies).map(([dependency, version]) => [
        dependency,
        ours[dependency] ?? version,
      ]),
    )
    await writeFile(file, JSON.stringify({ ...manifest, dependencies, overrides: ours }))
    await execute('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'], {
      cwd: this.folder,
      env,
      shell: process.platform === 'win32',
    })
  }

  /** Runs a file with Node, from the project's folder; gives what it printed, and rejects when it fails. */
  async node(...args: readonly string[]): Promise<string> {
    const { stdout, stderr } = await execute(process.execPath, args, { cwd: this.folder, env })
    return stdout + stderr
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}
