import { join } from 'node:path'
import { fileBlobs } from '@ivcap/backend-local'
import { local } from '@ivcap/client'
import { Ivcap, type ListAspectsOptions } from '@ivcap/core'
import { blobBackend } from '@ivcap/core/engine'
import { addAspectsTo, entityAmong, PREFIX, SCHEMA } from '../aspects.js'
import { type Benchmark, type Place, type Point, type Sample, timed } from '../benchmark.js'
import { spread } from '../stats.js'

const FOLDER = 'local folder'
const ENGINE = 'engine over a folder of blobs'
const SIZES = { [FOLDER]: [1_000, 10_000, 100_000, 1_000_000], [ENGINE]: [1_000, 10_000, 100_000] }
const TIMES = 10

const FIRST = 'all of an entity, in a new process'
const AGAIN = 'all of an entity, when open'
const NEWEST = 'newest 10 of a schema prefix'
const PATH = 'content path, in a tenth of all'
const ADD = 'add one'
const AFTER = 'all of an entity, after an add'

const nameOf = (series: string, x: number) => `${series}, ${x.toLocaleString('en')}`
const points: Readonly<Record<string, Point>> = Object.fromEntries(
  Object.entries(SIZES).flatMap(([series, sizes]) => sizes.map((x) => [nameOf(series, x), { series, x }])),
)

async function open({ dir }: Place, { series, x }: Point): Promise<Ivcap> {
  const folder = join(dir, `${series}-${x}`)
  return series === FOLDER
    ? await local({ baseDir: folder })
    : new Ivcap(blobBackend(fileBlobs({ dir: folder })))
}

async function measure(place: Place, point: Point): Promise<Sample> {
  const expect = async (q: ListAspectsOptions, count: number) => {
    const found = await ivcap.listAspects(q).toArray()
    if (found.length !== count) throw new Error(`${found.length} of ${count} aspects were found`)
  }
  const entity = { entity: entityAmong(point.x), limit: Number.POSITIVE_INFINITY }
  const start = performance.now()
  const ivcap = await open(place, point)
  await expect(entity, 5)
  const ms = performance.now() - start

  const again = await median(() => expect(entity, 5))
  const newest = await median(() => expect({ schema: PREFIX }, 10))
  // Matches the oldest aspects of the schema, so all newer ones are read.
  const path = await timed(() => expect({ schema: SCHEMA, contentPath: '$.i ? (@ < 100)' }, 10))
  const after: number[] = []
  const add = await median(
    () => ivcap.addAspect('urn:example:added', { $schema: 'urn:example:added.1' }),
    async () => {
      after.push(await timed(() => expect(entity, 5)))
    },
  )
  const counts = {
    [FIRST]: ms,
    [AFTER]: spread(after).median,
    [AGAIN]: again,
    [NEWEST]: newest,
    [PATH]: path,
    [ADD]: add,
  }
  return { ms, counts }
}

async function median(work: () => Promise<unknown>, between: () => Promise<void> = async () => {}) {
  const times: number[] = []
  for (let i = 0; i < TIMES; i++) {
    times.push(await timed(work))
    await between()
  }
  return spread(times).median
}

export const aspectsBySize: Benchmark = {
  title: 'Aspects by the size of the store',
  chart: {
    scale: 'log',
    along: { x: 'aspects in the store', counts: [PATH, FIRST, AFTER, NEWEST, AGAIN, ADD] },
  },
  points,
  upTo: 100_000,
  measuresMemory: Object.keys(points),
  setUp: async (place) => {
    for (const name of place.contenders) {
      const point = points[name]
      if (point !== undefined) await addAspectsTo(await open(place, point), point.x)
    }
  },
  contenders: Object.fromEntries(
    Object.entries(points).map(([name, point]) => [name, (place: Place) => measure(place, point)]),
  ),
  goals: [
    {
      what: 'ms for the newest 10 of 100,000 in a local folder',
      limit: 10,
      sense: 'at most',
      value: (f) => f.count(nameOf(FOLDER, 100_000), NEWEST),
    },
    {
      what: 'times the time to add one to a local folder of 1,000, when there are 100,000',
      limit: 2,
      sense: 'at most',
      value: (f) => f.count(nameOf(FOLDER, 100_000), ADD) / f.count(nameOf(FOLDER, 1_000), ADD),
    },
  ],
}
