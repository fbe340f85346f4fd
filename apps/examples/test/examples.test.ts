// Every example runs as it is, and on a file of the user's own.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Platform, startPlatform } from '@ivcap/platform-server'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import manifest from '../package.json' with { type: 'json' }
import { services } from '../src/services.js'
import { runScript } from './support/run-script.js'

/** What each says when all went well. */
const says: Readonly<Record<string, readonly string[]>> = {
  'upload-file': ['reef-quadrat.png image/png', 'ready'],
  'upload-stream': ['cast-in-progress.csv', 'SHA-256 '],
  download: ['a file of your own:', 'streamed, SHA-256:', 'only the start: 40 bytes', 'a Blob:'],
  list: ['newest first:', 'first three by name: list/notes.txt, list/reef-quadrat.png, list/site.json'],
  find: [
    'tagged coral: cast-4, cast-2, cast-1',
    'neither coral nor sand: cast-5',
    'how many are tagged coral: 3',
  ],
  metadata: [
    '"depth":8.5',
    'things with a site: 1',
    'still readable: {"$schema":"urn:example:schema:trip.1"',
  ],
  typed: ['the site: Davies 8.5', 'refused: depth: ', 'found: reef-quadrat.png'],
  collections: ['Line 7 (CTD casts of 2026)', 'holds 2', 'taken out: true', 'retracted: 2 aspects'],
  provenance: [
    'produced by urn:ivcap:job:',
    'used by     urn:ivcap:job:',
    'nobody: it was uploaded',
    'flowchart LR',
  ],
  'local-mode': ['the file itself: true', 'replaced: cast,depth_m', 'listed: by-hand.txt', 'outside:'],
  'time-travel': ['"score":2', '"score":1', '"score":3', 'score 1 by field team'],
  service: ['mixed-layer: How deep', 'succeeded', 'depth', 'produced by urn:ivcap:job:'],
}

/** They run on nothing but this machine; `fast-path`, which needs a bucket, has a test of its own. */
const scripts = Object.keys(manifest.scripts).filter(
  (name) => !['demo', 'fast-path', 'make-data', 'typecheck'].includes(name),
)

/** Fits those that want casts, too. */
const casts = 'cast,depth_m,temperature_c\n1,0,28\n1,10,28\n1,20,27\n'

let folder = ''
let deployment: Platform
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ivcap-examples-test-'))
  deployment = await startPlatform({ dir: join(folder, 'deployment'), services })
})
afterAll(async () => {
  await deployment.close()
  await rm(folder, { recursive: true, force: true })
})

test('all of them are tested', () => {
  expect(scripts.sort()).toEqual(Object.keys(says).sort())
})

describe.each(scripts)('%s', (script) => {
  /** Called in a folder of its own, with a file in it that is the user's. */
  const run = async (place: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) => {
    const here = join(folder, script, place)
    await mkdir(join(here, 'mine'), { recursive: true })
    await writeFile(join(here, 'mine', 'my casts (1).csv'), casts)
    const places = { IVCAP_LOCAL_DIR: join(here, 'artifacts'), XDG_CACHE_HOME: join(here, 'cache') }
    return runScript(join('src', `${script}.ts`), { args, env: { ...places, INIT_CWD: here, ...env } })
  }

  test.concurrent('runs as it is', { timeout: 60_000 }, async () => {
    const { code, stdout, stderr } = await run('sample', [])
    expect(stderr).toBe('')
    expect(code).toBe(0)
    for (const words of says[script] ?? []) expect(stdout).toContain(words)
  })

  test.concurrent("takes a path of the user's own", { timeout: 60_000 }, async () => {
    const { code, stderr } = await run('own', ['mine/my casts (1).csv'])
    expect(stderr).toBe('')
    expect(code).toBe(0)
  })

  test.concurrent('runs on a deployment, unchanged', { timeout: 60_000 }, async () => {
    const { code, stderr } = await run('deployment', ['mine/my casts (1).csv'], {
      IVCAP_BASE_URL: deployment.url,
    })
    expect(stderr).toBe('')
    expect(code).toBe(0)
  })
})
