// Every example runs as it is, and on a file of the user's own.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import manifest from '../package.json' with { type: 'json' }
import { runScript } from './support/run-script.js'

/** What each says when all went well. */
const says: Readonly<Record<string, readonly string[]>> = {
  'upload-file': ['reef-quadrat.png image/png', 'ready'],
  'upload-stream': ['cast-in-progress.csv', 'SHA-256 '],
  download: ['a file of your own:', 'streamed, SHA-256:', 'only the start: 40 bytes', 'a Blob:'],
  list: ['newest first:', 'first three by name: list/notes.txt, list/reef-quadrat.png, list/site.json'],
  metadata: [
    '"depth":8.5',
    'things with a site: 1',
    'still readable: {"$schema":"urn:example:schema:trip.1"',
  ],
  provenance: ['produced by urn:ivcap:job:', 'used by     urn:ivcap:job:', 'nobody: it was uploaded'],
  'local-mode': ['the file itself: true', 'replaced: cast,depth_m', 'listed: by-hand.txt', 'outside:'],
  'time-travel': ['"score":2', '"score":1', '"score":3', 'score 1 by field team'],
  service: ['mixed-layer.json', 'depth'],
}

const scripts = Object.keys(manifest.scripts).filter(
  (name) => !['demo', 'make-data', 'typecheck'].includes(name),
)

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ivcap-examples-test-'))
  await mkdir(join(folder, 'mine'))
  // fits those that want casts, too
  await writeFile(
    join(folder, 'mine', 'my casts (1).csv'),
    'cast,depth_m,temperature_c\n1,0,28\n1,10,28\n1,20,27\n',
  )
})
afterAll(() => rm(folder, { recursive: true, force: true }))

test('all of them are tested', () => {
  expect(scripts.sort()).toEqual(Object.keys(says).sort())
})

describe.each(scripts)('%s', (script) => {
  const run = (place: string, ...args: string[]) =>
    runScript(join('src', `${script}.ts`), {
      args,
      env: { IVCAP_LOCAL_DIR: join(folder, script, place), INIT_CWD: folder },
    })

  test.concurrent('runs as it is', { timeout: 60_000 }, async () => {
    const { code, stdout, stderr } = await run('sample')
    expect(stderr).toBe('')
    expect(code).toBe(0)
    for (const words of says[script] ?? []) expect(stdout).toContain(words)
  })

  test.concurrent("takes a path of the user's own", { timeout: 60_000 }, async () => {
    const { code, stderr } = await run('own', 'mine/my casts (1).csv')
    expect(stderr).toBe('')
    expect(code).toBe(0)
  })
})
