import { join } from 'node:path'
import { local } from '@ivcap/client'
import { aspectInputs } from '../aspects.js'
import { type Benchmark, type Place, type Sample, timed } from '../benchmark.js'
import { pythonAspects, withPython } from '../python.js'

const ASPECTS = 20_000

const PYTHON = 'Python client, add_aspect'
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

const theirs = withPython({ [PYTHON]: (place) => pythonAspects(folder(place), 'add', String(ASPECTS)) })

export const localAspectsAdd: Benchmark = {
  title: `Add ${ASPECTS.toLocaleString('en')} aspects to a local folder`,
  measuresMemory: [MANY, ONE],
  ...theirs,
  contenders: { ...theirs.contenders, [MANY]: many, [ONE]: oneByOne },
  goals: [
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
