// The demo, as a newcomer calls it: a process of its own, whose output is a pipe.
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { examples, runScript } from './support/run-script.js'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ivcap-demo-test-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** Called from a folder of its own; `files` are made there first. */
async function demo(
  place: string,
  args: readonly string[] = [],
  files: Readonly<Record<string, string>> = {},
) {
  const cwd = join(folder, place)
  await mkdir(cwd, { recursive: true })
  for (const [name, content] of Object.entries(files)) await writeFile(join(cwd, name), content)
  return { cwd, ...(await runScript('src/demo.ts', { args, env: { INIT_CWD: cwd } })) }
}

const sha256 = (content: string | Uint8Array) => createHash('sha256').update(content).digest('hex')
const count = (text: string, words: string) => text.split(words).length - 1
/** How many digests were compared and found equal. */
const same = (text: string) => [...text.matchAll(/ [0-9a-f]{64} {2}the same\n/g)].length
const timeout = 60_000

test.concurrent('shows the whole tour on sample data, and where the files are', { timeout }, async () => {
  const { code, stdout, stderr, cwd } = await demo('sample')
  const sample = await readFile(join(examples, 'data', 'ctd-casts.csv'))

  expect(stderr).toBe('')
  expect(code).toBe(0)
  for (let step = 1; step <= 7; step++) expect(stdout).toContain(`\n${step}. `)
  expect(count(stdout, `${sha256(sample)}  the same`)).toBe(3)
  expect(stdout).toContain('100 %')
  expect(stdout).toContain('level "raw"')
  expect(stdout).toContain('level "checked"')
  const stored = join(cwd, 'ivcap-artifacts', 'demo', 'ctd-casts.csv')
  expect(stdout).toContain(stored)
  expect(await readFile(stored)).toEqual(sample)
  expect(stdout).not.toMatch(/(?!\n)\p{Cc}/u)
})

test.concurrent('runs again, and remembers what it did before', { timeout }, async () => {
  await demo('twice')
  const { code, stdout, stderr } = await demo('twice')
  expect(stderr).toBe('')
  expect(code).toBe(0)
  expect(same(stdout)).toBe(3)
  expect(count(stdout, ' from 2')).toBe(4)
})

const files: Readonly<Record<string, string>> = {
  'empty.bin': '',
  'наука 100%25 #1?.nc': 'CDF\u0001',
  '.hidden': 'x',
  'back\\slash\nnew line.txt': 'x',
  'no-extension': 'x'.repeat(3_000_000),
  [`${'long'.repeat(62)}.csv`]: 'a,b\n',
}
test.concurrent.each(Object.entries(files))(
  'takes %j, relative to where npm was called',
  { timeout },
  async (name, content) => {
    const { code, stdout, stderr } = await demo(`own-${sha256(name).slice(0, 8)}`, [name], {
      [name]: content,
    })
    expect(stderr).toBe('')
    expect(code).toBe(0)
    expect(count(stdout, `${sha256(content)}  the same`)).toBe(3)
  },
)

test.concurrent('takes a file that already is an artifact', { timeout }, async () => {
  await demo('again', ['a.txt'], { 'a.txt': 'a' })
  const { code, stdout, cwd } = await demo('again', ['ivcap-artifacts/demo/a.txt'])
  expect(code).toBe(0)
  expect(same(stdout)).toBe(3)
  expect(await readFile(join(cwd, 'ivcap-artifacts/demo/a.txt'), 'utf8')).toBe('a')
})

test.concurrent.each([
  ['missing.csv', 'There is no file'],
  ['.', 'is a folder'],
  ['/dev/null', 'not an ordinary file'],
])('says what is wrong with %s', { timeout }, async (path, words) => {
  const { code, stdout, stderr } = await demo('wrong', [path])
  expect(code).toBe(1)
  expect(stderr).toContain(words)
  expect(stderr).not.toContain(' at ')
  expect(stdout).not.toContain('1. ')
})
