import { readFile, rename, rm, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Backend, Urn } from '@ivcap/core/driver'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { localBackend } from '../src/index.js'
import { allAspects, draft, tag } from './local.js'
import { putAspect } from './support/aspect-files.js'
import { tempFolder } from './temp-folder.js'

/** Enough for an index, and for a content path to read the contents in it. */
const COUNT = 280
const entities: readonly Urn[] = ['urn:example:reef:1', 'urn:example:reef:2', 'urn:example:reef:3']
const bulk: Urn = 'urn:example:reef:many'
const CURRENT_BELOW = 20

/** Records in force: entity and content of each id. */
type Model = Map<Urn, { entity: string; i: number }>

interface World {
  readonly dir: string
  readonly processes: Backend[]
  readonly model: Model
  /** Seconds since 1970: a file that another program replaces is younger than before. */
  time: number
}

type Command = (world: World) => Promise<void>

const nth = (model: Model, n: number): [Urn, { entity: string; i: number }] => {
  const all = [...model].sort(([a], [b]) => (a < b ? -1 : 1))
  const found = all[n % all.length]
  if (found === undefined) throw new Error('there is no record left')
  return found
}
const pathOf = (dir: string, id: string) => join(dir, 'aspects', `${id.slice(-36)}.json`)
const processOf = ({ processes }: World, n: number): Backend => {
  const backend = processes[n % processes.length]
  if (backend === undefined) throw new Error('there is no process')
  return backend
}

const entity = fc.constantFrom(...entities)
const value = fc.nat(COUNT)
const number = fc.nat(1000)

const commands: fc.Arbitrary<readonly [string, Command]> = fc.oneof(
  fc.tuple(number, entity, value).map(([p, e, i]): readonly [string, Command] => [
    `add ${e} ${i}`,
    async (world) => {
      const { id } = await processOf(world, p).aspects.assert(draft(e, tag, { i }), 'add', {})
      world.model.set(id, { entity: e, i })
    },
  ]),
  fc.tuple(number, entity, value).map(([p, e, i]): readonly [string, Command] => [
    `update ${e} ${i}`,
    async (world) => {
      const { id } = await processOf(world, p).aspects.assert(draft(e, tag, { i }), 'replace', {})
      for (const [other, record] of world.model) if (record.entity === e) world.model.delete(other)
      world.model.set(id, { entity: e, i })
    },
  ]),
  fc.tuple(number, number).map(([p, n]): readonly [string, Command] => [
    `retract ${n}`,
    async (world) => {
      const [id] = nth(world.model, n)
      await processOf(world, p).aspects.retract(id, {})
      world.model.delete(id)
    },
  ]),
  fc.tuple(entity, value).map(([e, i]): readonly [string, Command] => [
    `another program adds ${e} ${i}`,
    async ({ dir, model }) => {
      const id = await putAspect(dir, { entity: e, schema: tag, content: { i } })
      model.set(id, { entity: e, i })
    },
  ]),
  number.map((n): readonly [string, Command] => [
    `another program removes ${n}`,
    async ({ dir, model }) => {
      const [id] = nth(model, n)
      await rm(pathOf(dir, id))
      model.delete(id)
    },
  ]),
  fc.tuple(number, entity, value).map(([n, e, i]): readonly [string, Command] => [
    `another program replaces ${n} by ${e} ${i}`,
    async (world) => {
      const [id] = nth(world.model, n)
      const path = pathOf(world.dir, id)
      const record = JSON.parse(await readFile(path, 'utf8'))
      await writeFile(`${path}~`, JSON.stringify({ ...record, entity: e, content: { i } }))
      world.time += 10
      await utimes(`${path}~`, world.time, world.time)
      await rename(`${path}~`, path)
      world.model.set(id, { entity: e, i })
      // each listing looks for some of the files that were replaced
      for (const backend of world.processes)
        for (let round = 0; round < 3; round++) await allAspects(backend, { entity: e })
    },
  ]),
  fc
    .tuple(fc.constantFrom('facts', 'contents'), fc.constantFrom('cut', 'bit', 'gone', 'other'), number)
    .map(([name, damage, n]): readonly [string, Command] => [
      `the file of ${name}: ${damage} ${n}`,
      async ({ dir }) => {
        const path = join(dir, '.ivcap', `${name}.jsonl`)
        const bytes = await readFile(path).catch(() => Buffer.alloc(0))
        const at = Math.floor((bytes.length * n) / 1001)
        if (damage === 'gone') await rm(path, { force: true })
        // as when its writer was killed
        else if (damage === 'cut') await writeFile(path, bytes.subarray(0, at))
        else if (damage === 'bit')
          await writeFile(
            path,
            bytes.map((byte, j) => (j === at ? byte ^ 1 : byte)),
          )
        else await writeFile(path, '{"some": "thing"}\n'.repeat(n))
      },
    ]),
  number.map((p): readonly [string, Command] => [
    'a process ends, another one begins',
    async ({ dir, processes }) => {
      processes[p % processes.length] = localBackend({ baseDir: dir })
    },
  ]),
)

async function check({ processes, model }: World): Promise<void> {
  for (const backend of processes) {
    for (const e of entities) {
      const listed = await allAspects(backend, { entity: e })
      const expected = [...model].filter(([, record]) => record.entity === e)
      expect(listed.map(({ id }) => id).sort()).toEqual(expected.map(([id]) => id).sort())
    }
    const found = await allAspects(backend, { contentPath: `$.i ? (@ < ${CURRENT_BELOW})` })
    const expected = [...model].filter(([, { i }]) => i < CURRENT_BELOW)
    expect(found.map(({ id }) => id).sort()).toEqual(expected.map(([id]) => id).sort())
  }
}

it('the index shows what is there, whatever happens to the folder and to its own files', {
  timeout: 300_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(commands, { minLength: 4, maxLength: 14 }), async (steps) => {
      const dir = await tempFolder()
      const first = localBackend({ baseDir: dir })
      const drafts = Array.from({ length: COUNT }, (_, i) => draft(bulk, tag, { i }))
      const made = (await first.aspects.assertMany?.(drafts, {})) ?? []
      const model: Model = new Map(made.map(({ id }, i) => [id, { entity: bulk, i }]))
      const processes = [first, localBackend({ baseDir: dir })]
      const world = { dir, processes, model, time: Math.floor(Date.now() / 1000) + 1000 }
      for (const [, step] of steps) {
        await step(world)
        await check(world)
      }
    }),
    { numRuns: 12 },
  )
})
