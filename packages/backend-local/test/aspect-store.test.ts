import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { aspectUrn } from '@ivcap/core/driver'
import { describe, expect, it } from 'vitest'
import { localBackend } from '../src/index.js'
import { allAspects, draft, entity, tag } from './local.js'
import { tempFolder } from './temp-folder.js'

const MINUTE = 60_000_000

describe('records', () => {
  it('are the JSON that the Python client reads', async () => {
    const dir = await tempFolder()
    const { aspects } = localBackend({ baseDir: dir })
    const made = await aspects.assert(draft(entity, tag, { a: 1 }), 'add', {})
    const file = join(dir, 'aspects', `${made.id.slice(-36)}.json`)
    const read = async (): Promise<unknown> => JSON.parse(await readFile(file, 'utf8'))
    const expected = {
      id: made.id,
      entity,
      schema: tag,
      content: { $schema: tag, a: 1 },
      valid_from: made.validFrom,
    }
    expect(await read()).toEqual({ ...expected, valid_to: null })
    await aspects.retract(made.id, {})
    const { validTo } = await aspects.get(made.id, {})
    expect(await read()).toEqual({ ...expected, valid_to: validTo })
  })

  it('are closed once, by retracting or replacing, in this process and the next', async () => {
    const dir = await tempFolder()
    const backend = localBackend({ baseDir: dir })
    const first = await backend.aspects.assert(draft(entity, tag, { v: 1 }), 'add', {})
    const second = await backend.aspects.assert(draft(entity, tag, { v: 2 }), 'replace', {})
    expect(second.replaces).toBe(first.id)
    for (const view of [backend, localBackend({ baseDir: dir })]) {
      expect(await view.aspects.get(first.id, {})).toEqual({ ...first, validTo: second.validFrom })
      expect(await allAspects(view)).toEqual([second])
      await view.aspects.retract(first.id, {})
      expect((await view.aspects.get(first.id, {})).validTo).toBe(second.validFrom)
      expect(await allAspects(view, { atTime: first.validFrom ?? '' })).toEqual([
        { ...first, validTo: second.validFrom },
      ])
    }
    await backend.aspects.retract(second.id, {})
    expect(await allAspects(backend)).toEqual([])
    const third = await backend.aspects.assert(draft(entity, tag, { v: 3 }), 'replace', {})
    expect(third.replaces).toBeUndefined()
    expect(third.validFrom).toBeTruthy()
  })

  it('follow one another although the clocks of their writers don’t', async () => {
    const dir = await tempFolder()
    const start = Date.UTC(2026, 0, 1) * 1000
    const skewed = [0, -5, 3, -60].map((minutes) =>
      localBackend({ baseDir: dir, clock: () => start + minutes * MINUTE }),
    )
    for (const { aspects } of skewed) await aspects.assert(draft(entity, tag), 'replace', {})
    const all = await allAspects(localBackend({ baseDir: dir }), { atTime: '2025-12-31T23:50:00.000000Z' })
    expect(all).toEqual([])
    const names = await readdir(join(dir, 'aspects'))
    const { aspects } = localBackend({ baseDir: dir })
    const records = await Promise.all(names.map((name) => aspects.get(aspectUrn(name.slice(0, 36)), {})))
    records.sort((a, b) => ((a.validFrom ?? '') < (b.validFrom ?? '') ? -1 : 1))
    expect(records.map((r) => r.validTo)).toEqual([...records.slice(1).map((r) => r.validFrom), undefined])
  })

  // known failure: local-zone
  it('take the earlier of two ends', async () => {
    const dir = await tempFolder()
    const { aspects } = localBackend({ baseDir: dir })
    const made = await aspects.assert(draft(entity, tag), 'add', {})
    await aspects.retract(made.id, {})
    const file = join(dir, 'aspects', `${made.id.slice(-36)}.json`)
    const json = JSON.parse(await readFile(file, 'utf8'))
    await writeFile(file, JSON.stringify({ ...json, valid_to: null }))
    expect((await aspects.get(made.id, {})).validTo).toBe(json.valid_to)
    await writeFile(file, JSON.stringify({ ...json, valid_to: '2999-01-01T00:00:00Z' }))
    expect((await aspects.get(made.id, {})).validTo).toBe(json.valid_to)
    await writeFile(file, JSON.stringify({ ...json, valid_to: '2020-01-01T00:00:00+10:00' }))
    expect((await aspects.get(made.id, {})).validTo).toBe('2019-12-31T14:00:00.000000Z')
  })

  it('keep the numbers of other languages when their end is written', async () => {
    const dir = await tempFolder()
    const uuid = '0b9f3c7e-1d3e-4a7c-9a51-6a1e0c4c2a10'
    const text = `{"id": "urn:ivcap:aspect:${uuid}", "entity": "${entity}", "schema": "${tag}",
      "content": {"big": 12345678901234567890}, "valid_from": "2026-01-01T00:00:00+00:00", "valid_to": null, "more": 1}`
    await mkdir(join(dir, 'aspects'))
    await writeFile(join(dir, 'aspects', `${uuid}.json`), text)
    const { aspects } = localBackend({ baseDir: dir })
    await aspects.retract(aspectUrn(uuid), {})
    const { validTo } = await aspects.get(aspectUrn(uuid), {})
    const now = await readFile(join(dir, 'aspects', `${uuid}.json`), 'utf8')
    expect(now).toBe(text.replace('"valid_to": null', `"valid_to": "${validTo}"`))
  })

  it('are found by uuid only', async () => {
    const dir = await tempFolder()
    const { aspects } = localBackend({ baseDir: dir })
    await writeFile(join(dir, 'x.json'), '{}')
    for (const id of [
      'urn:ivcap:aspect:../x',
      'urn:file:///etc/passwd',
      aspectUrn(crypto.randomUUID()),
    ] as const) {
      await expect(aspects.get(id, {})).rejects.toMatchObject({ code: 'not-found', resource: id })
      await expect(aspects.retract(id, {})).rejects.toMatchObject({ code: 'not-found' })
    }
  })
})

describe('other programs', () => {
  it('add records that are seen at once, and leave files that are none', async () => {
    const dir = await tempFolder()
    const warnings: string[] = []
    const backend = localBackend({ baseDir: dir, onEvent: ({ message }) => warnings.push(message) })
    const ours = await backend.aspects.assert(draft(entity, tag), 'add', {})
    expect(await allAspects(backend)).toHaveLength(1)
    const put = async (name: string, text: string) => await writeFile(join(dir, 'aspects', name), text)
    const uuid = () => crypto.randomUUID()
    const good = uuid()
    const json = (id: string) => ({
      id: aspectUrn(id),
      entity,
      schema: tag,
      content: { x: 1 },
      valid_from: '2026-01-01',
    })
    const bad: Record<string, string> = {
      [`${uuid()}.json`]: '',
      [`${uuid()}.json `]: 'x',
      [`${uuid()}.json`]: '{"id": "urn:iv',
      [`${uuid()}.json`]: '[]',
      [`${uuid()}.json`]: 'null',
      [`${uuid()}.json`]: JSON.stringify({ ...json(uuid()) }),
      'notes.md': 'x',
    }
    const typed = uuid()
    bad[`${typed}.json`] = JSON.stringify({ ...json(typed), entity: 7 })
    for (const [name, text] of Object.entries(bad)) await put(name, text)
    await put(`${good}.json`, JSON.stringify(json(good)))
    for (let i = 0; i < 2; i++) {
      expect((await allAspects(backend)).map((a) => a.id)).toEqual([ours.id, aspectUrn(good)])
    }
    expect((await backend.aspects.get(aspectUrn(good), {})).content).toEqual({ $schema: tag, x: 1 })
    expect(warnings).toHaveLength(Object.keys(bad).length)
    expect(warnings.join('\n')).toMatch(/it is empty/)
    expect(warnings.join('\n')).toMatch(/entity/)

    // half-written when it was first seen
    await put(`${typed}.json`, JSON.stringify(json(typed)))
    expect(await allAspects(backend)).toHaveLength(3)
    await rm(join(dir, 'aspects', `${good}.json`))
    expect(await allAspects(backend)).toHaveLength(2)
  })

  it('have their records replaced by an update as ours are', async () => {
    const dir = await tempFolder()
    await mkdir(join(dir, 'aspects'))
    const ids = [crypto.randomUUID(), crypto.randomUUID()]
    for (const id of ids) {
      const record = {
        id: aspectUrn(id),
        entity,
        schema: tag,
        content: {},
        valid_from: '2026-01-01T00:00:00.5+10:00',
      }
      await writeFile(join(dir, 'aspects', `${id}.json`), JSON.stringify({ ...record, valid_to: null }))
    }
    const backend = localBackend({ baseDir: dir })
    const other = await backend.aspects.assert(draft(entity, `${tag}0`), 'add', {})
    const made = await backend.aspects.assert(draft(entity, tag), 'replace', {})
    expect((await allAspects(backend)).map((a) => a.id)).toEqual([made.id, other.id])
    for (const id of ids) {
      expect(JSON.parse(await readFile(join(dir, 'aspects', `${id}.json`), 'utf8')).valid_to).toBe(
        made.validFrom,
      )
    }
  })
})

describe('updates at the same time', () => {
  it('in one process and several views: all are acknowledged, one is current', async () => {
    const dir = await tempFolder()
    const views = [
      localBackend({ baseDir: dir }),
      localBackend({ baseDir: dir }),
      localBackend({ baseDir: dir }),
    ]
    let watching = true
    const watch = async () => {
      const view = localBackend({ baseDir: dir })
      while (watching) expect((await allAspects(view, { entity, schema: tag })).length).toBeLessThanOrEqual(1)
    }
    const watcher = watch()
    const made = await Promise.all(
      Array.from({ length: 60 }, (_, i) =>
        views[i % 3]?.aspects.assert(draft(entity, tag, { i }), 'replace', {}),
      ),
    )
    watching = false
    await watcher
    for (const view of views) {
      expect(await allAspects(view)).toHaveLength(1)
      const ends = await Promise.all(
        made.map(async (m) => (m ? (await view.aspects.get(m.id, {})).validTo : '')),
      )
      expect(ends.filter((end) => end === undefined)).toHaveLength(1)
    }
    expect(await readdir(join(dir, '.ivcap', 'locks'))).toEqual([])
  })

  // known failure: local-percent
  it('a schema with % in it is no pattern to an update', async () => {
    const backend = localBackend({ baseDir: await tempFolder() })
    await backend.aspects.assert(draft(entity, 'urn:x:axxb'), 'replace', {})
    await backend.aspects.assert(draft(entity, 'urn:x:a%b'), 'replace', {})
    expect(await allAspects(backend)).toHaveLength(2)
  })
})

describe('listings', () => {
  // known failure: local-order
  it('of every order hold what they should, page by page', async () => {
    const backend = localBackend({ baseDir: await tempFolder() })
    for (let i = 0; i < 9; i++) {
      await backend.aspects.assert(draft(`urn:e:${i % 3}`, `urn:s:${i % 2}`, { i: (i * 7) % 10 }), 'add', {})
    }
    for (const orderBy of ['valid_from', 'entity,valid-from', 'schema', 'content', 'valid_to']) {
      for (const orderDirection of ['ASC', 'DESC'] as const) {
        const whole = await backend.aspects.list(
          { orderBy, orderDirection, limit: 50, includeContent: true },
          {},
        )
        const paged = await allAspects(backend, { orderBy, orderDirection, limit: 2 })
        expect(paged).toEqual(whole.items)
        expect(whole.items).toHaveLength(9)
      }
    }
    expect(await allAspects(backend, { schema: 'urn:s:%' })).toHaveLength(9)
    expect(await allAspects(backend, { entity: 'urn:e:1', schema: '%1' })).toHaveLength(2)
    expect((await allAspects(backend, { includeContent: false }))[0]?.content).toBeUndefined()
  })

  it('still show on later pages what was there at the first, and nothing newer', async () => {
    const backend = localBackend({ baseDir: await tempFolder() })
    const made = []
    for (let i = 0; i < 6; i++) made.push(await backend.aspects.assert(draft(`urn:e:${i}`, tag), 'add', {}))
    const q = { limit: 2, orderBy: 'valid_from', orderDirection: 'ASC', includeContent: false } as const
    const first = await backend.aspects.list(q, {})
    await backend.aspects.retract(made[3]?.id ?? 'urn:x:y', {})
    await backend.aspects.assert(draft('urn:e:4', tag), 'replace', {})
    await backend.aspects.assert(draft('urn:e:9', tag), 'add', {})
    const rest = []
    for (let cursor = first.cursor; cursor !== undefined; ) {
      const page = await backend.aspects.list({ ...q, cursor }, {})
      rest.push(...page.items)
      cursor = page.cursor
    }
    expect([...first.items, ...rest].map((a) => a.id)).toEqual(made.map((a) => a.id))
  })
})
