import { cpSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Project } from './project.js'

function installed(name: string): Project {
  const project = new Project()
  beforeAll(() => project.install(name))
  afterAll(() => project.remove())
  return project
}

describe('a project of ES modules', () => {
  const project = installed('esm')
  test('uploads and downloads, in memory and in a folder', async () => {
    expect(await project.node('main.js')).toContain('all went well')
  })
})

describe('a CommonJS project without the optional packages', () => {
  const project = installed('cjs')
  test('uploads and downloads in a folder', async () => {
    expect(await project.node('main.js')).toContain('all went well')
  })
  test('is told how to install the backends that it has not', async () => {
    const told = await project.node('absent.js')
    for (const name of ['backend-memory', 'storage-s3', 'storage-gcs'])
      expect(told).toContain(`npm install @ivcap/${name}`)
  })
  test('recognises errors and artifacts of the other copy, the ES modules', async () => {
    expect(await project.node('both.js')).toContain('all went well')
  })
})

describe('a strict TypeScript project that checks libraries, too', () => {
  const project = installed('types')
  beforeAll(() => cpSync(join(project.folder, 'node.ts'), join(project.folder, 'node.cts')))
  const tsc = (config: string) => project.node('node_modules/typescript/bin/tsc', '-p', config)
  test.each([
    ['a browser app: lib ES2022 and DOM, no @types', 'tsconfig.browser.json'],
    ['a Node app as ES modules', 'tsconfig.node-esm.json'],
    ['a Node app as CommonJS', 'tsconfig.node-cjs.json'],
    ['a workspace with a condition `source` of its own', 'tsconfig.source.json'],
  ])('%s', async (_name, config) => {
    // The compiler prints its findings to stdout, which a rejection hides.
    expect(await tsc(config).catch((error: { stdout: string }) => error.stdout)).toBe('')
  })
  test('a mistyped option is an error', async () => {
    const findings = await tsc('tsconfig.mistyped.json').catch((error: { stdout: string }) => error.stdout)
    expect(findings).toMatch(/'contenttype' does not exist in type 'UploadOptions'/)
  })
})

describe('the project of a backend author', () => {
  const project = installed('author')
  test('runs the conformance suite', async () => {
    expect(await project.node('node_modules/vitest/vitest.mjs', 'run')).toMatch(/Tests\s+\d+ passed/)
  })
})

describe('a browser app built by Vite', () => {
  const project = installed('vite')
  let log: string
  beforeAll(async () => {
    log = await project.node('node_modules/vite/bin/vite.js', 'build', '--minify', 'false')
  })

  /** The page's own script, and what it loads when it is needed. */
  function bundles(): { readonly entry: string; readonly all: readonly string[] } {
    const assets = join(project.folder, 'dist/assets')
    const all = readdirSync(assets).filter((name) => name.endsWith('.js'))
    const [entry = '', ...more] = all.filter((name) => /^index-[\w-]+\.js$/.test(name))
    expect(more).toEqual([])
    return { entry: join(assets, entry), all: all.map((name) => join(assets, name)) }
  }

  test('has no Node module in it, not even a placeholder', () => {
    expect(log).not.toMatch(/externalized|node:/)
    for (const file of bundles().all) expect(readFileSync(file, 'utf8')).not.toMatch(/["'`]node:/)
  })
  test('loads the upload protocol only when something is uploaded', () => {
    const { entry, all } = bundles()
    const holders = all.filter((file) => readFileSync(file, 'utf8').includes('Upload-Offset'))
    expect(all.length).toBeGreaterThan(1)
    expect(holders).not.toEqual([entry])
  })
  test('runs where only the web platform is', async () => {
    expect(await project.node('web-only.js', bundles().entry)).toContain('all went well')
  })
})
