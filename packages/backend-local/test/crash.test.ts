import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Backend } from '@ivcap/core/driver'
import { beforeAll, expect, it } from 'vitest'
import { localBackend } from '../src/index.js'
import { read } from './bytes.js'
import { allArtifacts, allAspects, entity, tag } from './local.js'
import { buildWriter, startWriter } from './support/processes.js'
import type { Acknowledged } from './support/writer.js'
import { tempFolder } from './temp-folder.js'

let writer: string
beforeAll(async () => {
  writer = join(import.meta.dirname, '../node_modules/.cache/crash-writer.mjs')
  await buildWriter(writer)
})

const ROUNDS = 14
const AT_ONCE = 4

// known failure: local-kill-upload, local-kill-aspect
it(`survives ${ROUNDS * AT_ONCE} kills at random moments`, { timeout: 120_000 }, async () => {
  const dir = await tempFolder()
  const acknowledged: Acknowledged[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const writers = Array.from({ length: AT_ONCE }, (_, i) => startWriter(writer, dir, `${round}-${i}`))
    await Promise.all(
      writers.map(async (w) => {
        await w.started
        await new Promise((done) => setTimeout(done, Math.random() * 60))
        // opening the folder while others write to it must not disturb them
        if (Math.random() < 0.2) await allAspects(localBackend({ baseDir: dir }), { entity })
        w.kill()
        expect(await w.ended).toBe('SIGKILL')
      }),
    )
    for (const w of writers) acknowledged.push(...w.acknowledged)
    if (round % 3 === 2 || round === ROUNDS - 1) await verify(dir, acknowledged)
  }
  expect(acknowledged.length).toBeGreaterThan(ROUNDS * AT_ONCE)
})

it('lets two processes update one aspect: all acknowledged, exactly one current', {
  timeout: 60_000,
}, async () => {
  const dir = await tempFolder()
  const writers = [startWriter(writer, dir, 'a', '40'), startWriter(writer, dir, 'b', '40')]
  for (const w of writers) expect(await w.ended).toBe('0')
  const acknowledged = writers.flatMap((w) => w.acknowledged)
  expect(acknowledged).toHaveLength(2 * 40 * 7)
  await verify(dir, acknowledged)
  expect(await allAspects(localBackend({ baseDir: dir }), { entity, schema: tag })).toHaveLength(1)
})

async function verify(dir: string, acknowledged: readonly Acknowledged[]): Promise<void> {
  const warnings: string[] = []
  const backend = localBackend({ baseDir: dir, onEvent: ({ message }) => warnings.push(message) })
  await wholeArtifacts(backend, acknowledged)
  await wholeAspects(backend, dir, acknowledged)
  expect(warnings).toEqual([])
  expect(await readdir(join(dir, '.ivcap', 'staging'))).toEqual([])
  expect(await readdir(join(dir, '.ivcap', 'locks'))).toEqual([])
}

async function wholeArtifacts(backend: Backend, acknowledged: readonly Acknowledged[]): Promise<void> {
  const digests = new Map<string, string>()
  for (const artifact of await allArtifacts(backend)) {
    const bytes = await read((await backend.artifacts.read(artifact.id, {})).body)
    const head = Buffer.from(bytes.subarray(0, 64)).toString()
    expect(head).toBe(createHash('sha256').update(bytes.subarray(64)).digest('hex'))
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    if (artifact.sha256 !== undefined) expect(artifact.sha256).toBe(sha256)
    digests.set(artifact.id, sha256)
  }
  for (const { kind, id, sha256 } of acknowledged) {
    if (kind !== 'upload') continue
    // one that all write may have been replaced since
    if (id.endsWith('/shared/same')) expect(digests.has(id)).toBe(true)
    else expect(digests.get(id)).toBe(sha256)
  }
}

async function wholeAspects(backend: Backend, dir: string, acknowledged: readonly Acknowledged[]) {
  const current = await allAspects(backend, { entity, schema: tag })
  expect(current.length).toBe(acknowledged.some((a) => a.kind === 'update') ? 1 : current.length)
  for (const { kind, id } of acknowledged) {
    if (kind === 'upload') continue
    const record = await backend.aspects.get(id, {})
    if (kind === 'update' && id !== current[0]?.id) expect(record.validTo).toBeDefined()
    if (kind === 'retract') expect(record.validTo).toBeDefined()
  }
  // what other programs read says the same
  for (const name of await readdir(join(dir, 'aspects'))) {
    const json = JSON.parse(await readFile(join(dir, 'aspects', name), 'utf8'))
    const { validTo = null } = await backend.aspects.get(json.id, {})
    expect(json.valid_to).toBe(validTo)
  }
}
