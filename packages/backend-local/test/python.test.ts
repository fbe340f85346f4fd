import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { aspectUrn, isUrn } from '@ivcap/core/driver'
import { describe, expect, it } from 'vitest'
import { localBackend } from '../src/index.js'
import { readText, text } from './bytes.js'
import { allArtifacts, allAspects, draft, entity, named, plain, tag } from './local.js'
import { tempFolder } from './temp-folder.js'

const here = (path: string) => join(import.meta.dirname, path)

/** A Python that has IVCAP's client; undefined where none is installed. */
const python = [process.env['IVCAP_TEST_PYTHON'] ?? '', here('../../../.cache/python/bin/python')].find(
  (path) => path !== '' && existsSync(path),
)

describe('a folder that the Python client wrote', () => {
  it('is read as it was meant, and goes on from there', async () => {
    const dir = await tempFolder()
    await cp(here('fixtures/python-folder'), dir, { recursive: true })
    const warnings: string[] = []
    const backend = localBackend({ baseDir: dir, onEvent: ({ message }) => warnings.push(message) })

    const [note, later, first] = await allAspects(backend)
    expect(first).toEqual({
      id: aspectUrn('853aa534-4177-47d5-ac8c-69c6df5ac375'),
      entity,
      schema: tag,
      content: { $schema: tag, tags: ['coral', 'é'] },
      validFrom: '2026-11-23T12:37:08.882060Z',
    })
    expect(later).toMatchObject({ schema: tag, content: { $schema: tag, depth: 3.5 } })
    expect(note).toMatchObject({ schema: 'urn:example:schema:note.1' })

    const [artifact, ...others] = await allArtifacts(backend)
    expect(others).toEqual([])
    const id = `urn:file://${dir}/artifacts/reef/counts.csv`
    expect(artifact).toMatchObject({ id, name: 'reef/counts.csv', size: 15, mimeType: 'text/csv' })
    const beside = await backend.artifacts.create(text('x'), named('reef/beside.txt'), plain)
    expect(beside.id).toBe(`urn:file://${dir}/artifacts/reef/beside.txt`)

    const made = await backend.aspects.assert(draft(entity, tag, { v: 2 }), 'replace', {})
    expect((await allAspects(backend, { schema: tag })).map((a) => a.id)).toEqual([made.id])
    const closed = JSON.parse(
      await readFile(join(dir, 'aspects/853aa534-4177-47d5-ac8c-69c6df5ac375.json'), 'utf8'),
    )
    expect(closed).toMatchObject({ valid_from: '2026-11-23T12:37:08.882060+00:00', valid_to: made.validFrom })
    expect(warnings).toEqual([])
  })
})

describe.runIf(python !== undefined)('the Python client itself', () => {
  const run = async (...args: string[]) => {
    const env = { PATH: process.env['PATH'], PYTHONDONTWRITEBYTECODE: '1' }
    const { stdout } = await promisify(execFile)(python ?? '', [here('support/python_client.py'), ...args], {
      env,
    })
    return JSON.parse(stdout)
  }

  it.each(['flat', 'artifacts'] as const)('reads our folder (%s)', { timeout: 60_000 }, async (layout) => {
    const dir = await tempFolder()
    const backend = localBackend({ baseDir: dir, layout })
    const made = await backend.artifacts.create(
      text('a,b\n1,2\n'),
      named('deep sea/tablé.csv', 'text/csv'),
      plain,
    )
    const aspect = await backend.aspects.assert(draft(made.id, tag, { name: 'Grüße 🐠' }), 'replace', {})
    const old = await backend.aspects.assert(draft(entity, tag, { v: 1 }), 'add', {})
    await backend.aspects.retract(old.id, {})

    const { aspects, artifacts } = await run('read', dir, made.id)
    expect(artifacts).toEqual([{ id: made.id, name: 'tablé.csv', size: 8, content: 'a,b\n1,2\n' }])
    expect(aspects).toHaveLength(3)
    expect(aspects).toContainEqual({
      id: aspect.id,
      entity: made.id,
      schema: tag,
      content: { $schema: tag, name: 'Grüße 🐠' },
      from: aspect.validFrom?.replace('Z', '+00:00'),
    })
  })

  it('writes what we read, beside us', { timeout: 60_000 }, async () => {
    const dir = await tempFolder()
    const backend = localBackend({ baseDir: dir })
    await backend.artifacts.create(text('ours'), named('ours.txt'), plain)
    const { artifact, added, about } = await run('write', dir)
    expect(isUrn(artifact) && backend.artifacts.contains?.(artifact)).toBe(true)
    const { record, body } = await backend.artifacts.read(artifact, {})
    expect(record).toMatchObject({ id: artifact, name: 'artifacts/reef/counts.csv', mimeType: 'text/csv' })
    expect(await readText(body)).toBe('site,count\nA,3\n')
    expect((await allAspects(backend, { entity: artifact })).map((a) => a.id)).toEqual([about])
    expect(await backend.aspects.get(added, {})).toMatchObject({
      entity,
      content: { $schema: tag, tags: ['coral', 'é'] },
      validFrom: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
    })
    expect((await allArtifacts(backend)).map((a) => a.name)).toEqual([
      'artifacts/reef/counts.csv',
      'ours.txt',
    ])
  })
})
