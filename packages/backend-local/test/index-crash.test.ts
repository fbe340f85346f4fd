import { join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import { localBackend } from '../src/index.js'
import { allAspects } from './local.js'
import { readAspects } from './support/aspect-files.js'
import type { Acknowledged } from './support/many-writer.js'
import { buildWriter, startWriter } from './support/processes.js'
import { tempFolder } from './temp-folder.js'

let writer: string
beforeAll(async () => {
  writer = join(import.meta.dirname, '../node_modules/.cache/many-writer.mjs')
  await buildWriter(writer, 'many-writer.ts')
})

// known failure: local-kill-aspect
it('an index whose writers were killed at any moment shows what is there', { timeout: 120_000 }, async () => {
  const dir = await tempFolder()
  const acknowledged: Acknowledged[] = []
  for (let round = 0; round < 4; round++) {
    const writers = [0, 1, 2].map((i) => startWriter(writer, dir, `${round}-${i}`))
    await Promise.all(
      writers.map(async (w) => {
        await w.started
        await new Promise((done) => setTimeout(done, Math.random() * 150))
        w.kill()
        expect(await w.ended).toBe('SIGKILL')
      }),
    )
    for (const w of writers) acknowledged.push(...w.acknowledged)
    await verify(dir, acknowledged)
  }
  expect(acknowledged.length).toBeGreaterThan(500)
})

it('two processes that write at once each find what both have written', { timeout: 60_000 }, async () => {
  const dir = await tempFolder()
  const writers = ['a', 'b'].map((self) => startWriter(writer, dir, self, '6'))
  for (const w of writers) expect(await w.ended).toBe('0')
  const acknowledged = writers.flatMap((w) => w.acknowledged)
  expect(acknowledged).toHaveLength(2 * 6 * 151)
  await verify(dir, acknowledged)
})

/** A process that comes later lists just what the files say, and all that was acknowledged is among them. */
async function verify(dir: string, acknowledged: readonly Acknowledged[]): Promise<void> {
  const first = localBackend({ baseDir: dir })
  // those who come next finish what a killed one has begun
  await allAspects(first, { limit: 1, schema: 'urn:example:none' })
  const files = await readAspects(dir)
  const there = new Set(files.ids)
  expect(acknowledged.filter(({ id }) => !there.has(id))).toEqual([])
  const expected = files.inOrder({ orderDirection: 'DESC' })
  for (const backend of [first, localBackend({ baseDir: dir })]) {
    const listed = await allAspects(backend, { limit: 1000 })
    expect(listed.map(({ id }) => id)).toEqual(expected)
  }
}
