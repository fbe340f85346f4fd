import { join } from 'node:path'
import { local } from '@ivcap/client'
import type { Ivcap } from '@ivcap/core'
import { addAspectsTo } from '../aspects.js'
import type { Benchmark, Place, Sample } from '../benchmark.js'
import { OPEN, opened } from '../opened.js'

const ASPECTS = 100_000
const OF_SCHEMA = 1_000
const HITS = 20
const SCHEMA = 'urn:example:schema:quality.1'

const FIND = 'ivcap, findArtifacts'
const ONE_BY_ONE = 'ivcap, listAspects and getArtifact of each'

const folder = ({ dir }: Place) => join(dir, 'data')
const query = { schema: SCHEMA, where: { tags: 'coral' }, limit: HITS }

async function fill(place: Place): Promise<void> {
  const ivcap = await local({ baseDir: folder(place) })
  await addAspectsTo(ivcap, ASPECTS - OF_SCHEMA)
  const others = Array.from({ length: OF_SCHEMA - HITS }, (_, i) => ({
    entity: `urn:example:reef:${i}`,
    content: { $schema: SCHEMA, tags: ['sand'], i },
  }))
  await ivcap.addAspects(others)
  for (let i = 0; i < HITS; i++) {
    const artifact = await ivcap.uploadArtifact({ name: `cast-${i}.csv`, content: `depth\n${i}\n` })
    await artifact.addMetadata({ $schema: SCHEMA, tags: ['coral', 'sand'], i })
  }
  await ivcap.close()
}

const measured = (place: Place, find: (ivcap: Ivcap) => Promise<number>): Promise<Sample> =>
  opened(folder(place), async (ivcap) => {
    const found = await find(ivcap)
    if (found !== HITS) throw new Error(`${found} of ${HITS} artifacts were found`)
  })

export const localFind: Benchmark = {
  title: `Find ${HITS} artifacts by ${OF_SCHEMA.toLocaleString('en')} of ${ASPECTS.toLocaleString('en')} aspects of a local folder`,
  measuresMemory: [FIND, ONE_BY_ONE],
  setUp: fill,
  contenders: {
    [FIND]: (place) => measured(place, async (ivcap) => (await ivcap.findArtifacts(query).toArray()).length),
    [ONE_BY_ONE]: (place) =>
      measured(place, async (ivcap) => {
        let found = 0
        for await (const { entity } of ivcap.listAspects(query)) {
          await ivcap.getArtifact(entity)
          found++
        }
        return found
      }),
  },
  goals: [
    {
      what: 'ms for findArtifacts, when open',
      limit: 60,
      sense: 'at most',
      value: (f) => f.count(FIND, OPEN),
    },
  ],
}
