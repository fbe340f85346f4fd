import { memoryBackend } from '@ivcap/backend-memory'
import { Ivcap } from '@ivcap/core'
import { compile } from '@ivcap/sql-json-path'
import { type Benchmark, type Sample, timed } from '../benchmark.js'

const DOCUMENTS = 10_000
const IMAGES = 10
/** Matches no document, so that every image of every document is evaluated. */
const PATH = '$.images[*] ? (@.size > 10000)'
const SCHEMA = 'urn:example:schema:dive.1'

const LOOP = 'a loop in JavaScript'
const EVALUATOR = 'sql-json-path'
const LISTING = 'ivcap, listAspects with the path'
const WHOLE_LISTING = 'ivcap, listAspects of all'

// Not an interface: interfaces are not assignable to JSON objects.
type Dive = {
  readonly $schema: string
  readonly images: readonly { readonly name: string; readonly size: number }[]
}

const diveOf = (i: number): Dive => ({
  $schema: SCHEMA,
  images: Array.from({ length: IMAGES }, (_, j) => ({
    name: `CTD-${j}.jpg`,
    size: (i * IMAGES + j) % 10_000,
  })),
})

const dives = () => Array.from({ length: DOCUMENTS }, (_, i) => diveOf(i))

/** Evaluates all documents three times, so that the code is compiled. Only the third time counts. */
async function matching(matches: (dive: Dive) => boolean): Promise<Sample> {
  const documents = dives()
  const count = async () => {
    for (const document of documents) if (matches(document)) throw new Error('no document matches')
  }
  await count()
  await count()
  return perDocument(await timed(count))
}

async function listing(contentPath?: string): Promise<Sample> {
  const ivcap = new Ivcap(memoryBackend())
  await ivcap.addAspects(dives().map((content, i) => ({ entity: `urn:example:dive:${i}`, content })))
  const query = { schema: SCHEMA, limit: DOCUMENTS, ...(contentPath !== undefined && { contentPath }) }
  return perDocument(await timed(() => ivcap.listAspects(query).toArray()))
}

const perDocument = (ms: number): Sample => ({ ms, counts: { 'µs a document': (ms / DOCUMENTS) * 1000 } })

export const contentPath: Benchmark = {
  title: `A content path over ${DOCUMENTS} documents of ${IMAGES} images, in memory`,
  chart: { measure: { count: 'µs a document' }, scale: 'log' },
  measuresMemory: [],
  contenders: {
    [LOOP]: () => matching(({ images }) => images.some(({ size }) => size > 10_000)),
    [EVALUATOR]: () => {
      const path = compile(PATH)
      return matching((dive) => path.exists(dive))
    },
    [LISTING]: () => listing(PATH),
    [WHOLE_LISTING]: () => listing(),
  },
  goals: [
    {
      what: 'µs a document, by the evaluator alone',
      limit: 3,
      sense: 'at most',
      value: (f) => f.count(EVALUATOR, 'µs a document'),
    },
    {
      what: 'µs a document, through listAspects',
      limit: 15,
      sense: 'at most',
      value: (f) => f.count(LISTING, 'µs a document'),
    },
  ],
}
