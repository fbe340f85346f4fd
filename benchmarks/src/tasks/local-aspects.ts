import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { local } from '@ivcap/client'
import type { ListAspectsOptions } from '@ivcap/core'
import { addAspectsTo, entityAmong, PREFIX, SCHEMA } from '../aspects.js'
import type { Benchmark, Place, Sample } from '../benchmark.js'
import { OPEN, opened } from '../opened.js'
import { pythonAspects, withPython } from '../python.js'

const ASPECTS = 100_000
const ENTITY = entityAmong(ASPECTS)

const OURS = 'ivcap, all of an entity'
const NEWEST = 'ivcap, the newest 10 of a prefix'
const WITHOUT = 'ivcap, all of an entity, without an index'
const PYTHON = 'Python client, all of an entity'
const PYTHON_SCHEMA = 'Python client, any 10 of a schema'

const folder = ({ dir }: Place) => join(dir, 'data')

const list = (place: Place, q: ListAspectsOptions, expected: number): Promise<Sample> =>
  opened(folder(place), async (ivcap) => {
    const found = await ivcap.listAspects(q).toArray()
    if (found.length !== expected) throw new Error(`${found.length} of ${expected} aspects were found`)
  })

const all: ListAspectsOptions = { entity: ENTITY, limit: Number.POSITIVE_INFINITY }

const theirs = withPython({
  [PYTHON]: (place) => pythonAspects(folder(place), 'entity', ENTITY),
  [PYTHON_SCHEMA]: (place) => pythonAspects(folder(place), 'schema', SCHEMA),
})

export const localAspects: Benchmark = {
  title: `List some of ${ASPECTS.toLocaleString('en')} aspects of a local folder, in a new process`,
  measuresMemory: [OURS, NEWEST, WITHOUT],
  ...theirs,
  chart: { scale: 'log' },
  setUp: async (place) => addAspectsTo(await local({ baseDir: folder(place) }), ASPECTS),
  contenders: {
    [OURS]: (place) => list(place, all, 5),
    [NEWEST]: (place) => list(place, { schema: PREFIX }, 10),
    [WITHOUT]: async (place) => {
      for (const name of ['facts.jsonl', 'contents.jsonl'])
        await rm(join(folder(place), '.ivcap', name), { force: true })
      return list(place, all, 5)
    },
    ...theirs.contenders,
  },
  goals: [
    { what: 'ms for all of an entity', limit: 300, sense: 'at most', value: (f) => f.ms(OURS) },
    { what: 'ms for the newest 10', limit: 300, sense: 'at most', value: (f) => f.ms(NEWEST) },
    {
      what: 'ms for all of an entity, when open',
      limit: 10,
      sense: 'at most',
      value: (f) => f.count(OURS, OPEN),
    },
    {
      what: 'ms for the newest 10, when open',
      limit: 10,
      sense: 'at most',
      value: (f) => f.count(NEWEST, OPEN),
    },
  ],
}
