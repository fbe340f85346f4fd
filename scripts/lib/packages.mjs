import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { root, tool } from './run.mjs'

/**
 * A package that is published.
 *
 * @typedef {{ name: string, folder: string, esmOnly: boolean }} PublicPackage
 */

/** @returns {readonly PublicPackage[]} */
export function publicPackages() {
  return readdirSync(join(root, 'packages'))
    .map((entry) => join(root, 'packages', entry))
    .map((folder) => ({ folder, manifest: JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) }))
    .filter(({ manifest }) => manifest.private !== true)
    .map(({ folder, manifest }) => ({ name: manifest.name, folder, esmOnly: !manifest.exports['.'].require }))
}

/** Where `pack` puts the tarballs: `<package>.tgz`, e.g. `core.tgz`. */
const tarballs = join(root, 'tarballs')

/** @param {PublicPackage} published */
export function tarballOf({ name }) {
  return join(tarballs, `${name.replace('@ivcap/', '')}.tgz`)
}

/**
 * Packs every public package as it would be published: `workspace:*` becomes a version. Needs a build.
 *
 * @returns {Promise<{ code: number, output: string }>}
 */
export async function pack() {
  rmSync(tarballs, { recursive: true, force: true })
  mkdirSync(tarballs, { recursive: true })
  let output = ''
  for (const published of publicPackages()) {
    const packed = await tool('pnpm', ['pack', '--out', tarballOf(published)], {
      cwd: published.folder,
      quiet: true,
    })
    output += packed.output
    if (packed.code !== 0) return { code: packed.code, output }
  }
  return { code: 0, output }
}
