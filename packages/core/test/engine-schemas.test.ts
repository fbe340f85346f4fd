import { describe, expect, it } from 'vitest'
import type { Engine } from '../src/engine/context.js'
import { BY_SCHEMA, entryOf, indexPrefix } from '../src/engine/index/entries.js'
import { listSchemas } from '../src/engine/index/pages.js'
import { encodeSchema } from '../src/engine/keys.js'
import { linkSchema } from '../src/engine/schemas.js'
import { IvcapError, isIvcapError } from '../src/model/errors.js'
import { timestamp } from '../src/model/time.js'
import { Blobs, modelBlobs, type Network } from './support/model-blobs.js'
import { randomOf, uuidOf } from './support/random.js'
import { Scheduler } from './support/scheduler.js'

/** Keys of schemas don't ascend as their names do: "-" and "." come before "/". */
const NAMES = ['a', 'a-b', 'a.b', 'aa', 'a:b', 'b', 'ab', 'a-', 'c', 'b.c'].map(encodeSchema)
const RACES = 150
/** More entries than one LIST shows. */
const MANY = 201
const ENTRIES = Array.from({ length: MANY }, (_, n) => {
  const pair = { entity: '0'.repeat(40), schema: '' }
  return entryOf(pair, uuidOf(randomOf(n)), timestamp(n), 1).name
})

/** Some processes link some of the schemas at the same time; some of them crash. The schemas that are linked. */
async function race(blobs: Blobs, random: () => number): Promise<readonly string[]> {
  const below = (n: number) => Math.floor(random() * n)
  const scheduler = new Scheduler(random)
  const linked: string[] = []
  const failures: unknown[] = []
  for (let i = 2 + below(4); i > 0; i--) {
    const crashes = [0, 0, 0.3][below(3)] ?? 0
    const network: Network = {
      arrive: async () => {
        await scheduler.turn()
        if (random() < crashes) throw new IvcapError('unavailable', 'crashed')
      },
      meanwhile: () => (random() < 0.3 ? scheduler.turn() : undefined),
    }
    const run = async () => {
      const engine: Engine = {
        blobs: modelBlobs(blobs, network),
        clock: () => 0,
        random,
        uuid: () => uuidOf(random),
        pause: () => scheduler.turn(),
        linked: new Set(),
      }
      for (let left = 1 + below(3); left > 0; left--) {
        const schema = NAMES[below(NAMES.length)] ?? ''
        await linkSchema(engine, schema, {})
        linked.push(schema)
      }
    }
    run().catch((error: unknown) => {
      if (!isIvcapError(error, 'unavailable')) failures.push(error)
    })
  }
  await scheduler.run()
  if (failures.length > 0) throw failures[0]
  return [...new Set(linked)]
}

function fill(blobs: Blobs, schema: string) {
  for (const name of ENTRIES)
    blobs.write(`${indexPrefix('cur', BY_SCHEMA)}${schema}/${name}`, new Uint8Array(), 'create')
}

describe('schemas', () => {
  it(`are all found in ${RACES} races, at one LIST each, however large they are`, async () => {
    for (let seed = 0; seed < RACES; seed++) {
      const random = randomOf(seed)
      const blobs = new Blobs()
      const first = await race(blobs, random)
      const linked = [...new Set([...first, ...(await race(blobs, random))])]
      const crashed = blobs.keys('schemas/').length > 2 * linked.length
      for (const schema of linked) fill(blobs, schema)
      let lists = 0
      const counting = modelBlobs(blobs, {
        arrive: async (call) => {
          if (call === 'list') lists++
        },
      })
      for (const literal of ['', 'a', 'a-', 'b', 'c']) {
        lists = 0
        const place = { tense: 'cur', scope: BY_SCHEMA } as const
        const found: string[] = []
        for await (const { schema, page } of listSchemas(counting, place, literal, 20, {}))
          if (page.entries.length > 0) found.push(schema)
        const expected = linked.filter((schema) => schema.startsWith(literal))
        expect(found.sort(), `seed ${seed}, ${literal}%`).toEqual(expected.sort())
        // who follows a link to a schema that never came lists once more
        if (!crashed) expect(lists, `seed ${seed}, ${literal}%`).toBe(Math.max(expected.length, 1))
      }
    }
  }, 120_000)
})
