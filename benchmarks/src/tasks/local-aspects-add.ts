import { join } from 'node:path'
import { local } from '@ivcap/client'
import { aspectInputs } from '../aspects.js'
import { type Benchmark, type Place, type Sample, timed } from '../benchmark.js'
import { python, pythonAspects } from '../python.js'

const ASPECTS = 100_000

const PYTHON = 'ivcap-client (Python), add_aspect'
const MANY = 'ivcap, addAspects'
const ONE = 'ivcap, addAspect'

const folder = ({ dir }: Place) => join(dir, 'out', 'data')

async function many(place: Place): Promise<Sample> {
  const ivcap = await local({ baseDir: folder(place) })
  return { ms: await timed(() => ivcap.addAspects(aspectInputs(0, ASPECTS))) }
}

async function oneByOne(place: Place): Promise<Sample> {
  const ivcap = await local({ baseDir: folder(place) })
  const ms = await timed(async () => {
    for (const { entity, content } of aspectInputs(0, ASPECTS)) await ivcap.addAspect(entity, content)
  })
  return { ms }
}

export const localAspectsAdd: Benchmark = {
  title: `Add ${ASPECTS.toLocaleString('en')} aspects to a local folder`,
  measuresMemory: [MANY, ONE],
  ...(python === undefined && { skipped: { [PYTHON]: 'there is no Python with ivcap-client' } }),
  contenders: {
    ...(python !== undefined && {
      [PYTHON]: (place: Place) => pythonAspects(folder(place), 'add', String(ASPECTS)),
    }),
    [MANY]: many,
    [ONE]: oneByOne,
  },
  goals:
    python === undefined
      ? []
      : [
          {
            what: 'time of the Python client, with addAspects',
            limit: 1,
            sense: 'at most',
            value: (f) => f.ms(MANY) / f.ms(PYTHON),
          },
          {
            what: 'time of the Python client, with addAspect one by one',
            limit: 4,
            sense: 'at most',
            value: (f) => f.ms(ONE) / f.ms(PYTHON),
          },
        ],
}
