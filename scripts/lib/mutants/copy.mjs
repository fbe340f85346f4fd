import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, symlinkSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { root } from '../run.mjs'

/**
 * Copies the checkout to a temporary folder, including uncommitted changes. The packages find each other in the copy, and
 * everything else in the checkout's `node_modules/.pnpm`, which is not changed.
 *
 * @returns {{ dir: string, remove: () => Promise<void> }}
 */
export function copyOfCheckout() {
  const dir = mkdtempSync(join(tmpdir(), 'ivcap-mutants-'))
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  })
  for (const file of listed.split('\0')) {
    // Git still lists a file that was deleted without a commit.
    if (file === '' || !existsSync(join(root, file))) continue
    mkdirSync(dirname(join(dir, file)), { recursive: true })
    cpSync(join(root, file), join(dir, file), { verbatimSymlinks: true })
  }
  const folders = ['packages', 'apps'].flatMap((parent) =>
    readdirSync(join(root, parent)).map((name) => join(parent, name)),
  )
  for (const folder of ['.', 'benchmarks', ...folders]) linkModules(join(root, folder), join(dir, folder))
  // A process of a killed test may not have ended yet.
  const remove = () => rm(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
  return { dir, remove }
}

/** pnpm's links are relative, to the root's `.pnpm` and to folders of packages. @param {string} from @param {string} to */
function linkModules(from, to) {
  const modules = join(from, 'node_modules')
  if (!existsSync(modules) || !existsSync(to)) return
  for (const name of readdirSync(modules)) {
    const target = join(to, 'node_modules', name)
    mkdirSync(dirname(target), { recursive: true })
    if (name === '.pnpm') symlinkSync(join(modules, name), target)
    // Other hidden folders are caches and settings: they are not copied.
    else if (!name.startsWith('.'))
      cpSync(join(modules, name), target, { recursive: true, verbatimSymlinks: true })
  }
}
