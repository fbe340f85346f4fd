import { memoryBackend } from '@ivcap/backend-memory'
import { Ivcap } from '@ivcap/core'
import { type Benchmark, type Figures, type Place, type Sample, timed } from '../benchmark.js'

const CALLS = 2_000
const WARM_UP = 500
const LISTED = 10

const ENTITY = 'urn:example:sample'
const SCHEMA = 'urn:example:schema'
const QUERY = { entity: ENTITY, orderBy: 'valid_from', orderDirection: 'DESC', includeContent: true } as const

/** The same calls are measured on both sides: on the store's interface, and on the client above it. */
const CALL_NAMES = ['get an artifact', 'add an aspect', `list ${LISTED} aspects`] as const
type Call = () => Promise<unknown>

async function calls(): Promise<Record<'port' | 'client', readonly Call[]>> {
  const backend = memoryBackend()
  const { artifacts, aspects } = backend
  const ivcap = new Ivcap(backend)
  const { id } = await ivcap.uploadArtifact({ name: 'a.txt', content: 'a' })
  for (let i = 0; i < LISTED; i++) await ivcap.addAspect(ENTITY, { $schema: SCHEMA, i })
  let n = 0
  // Each aspect has its own entity, since the folder of an entity would grow.
  const entity = () => `${ENTITY}:${n++}`
  return {
    port: [
      () => artifacts.stat(id, {}),
      () => aspects.assert({ entity: entity(), schema: SCHEMA, content: { $schema: SCHEMA } }, 'add', {}),
      () => aspects.list({ ...QUERY, limit: LISTED }, {}),
    ],
    client: [
      () => ivcap.getArtifact(id),
      () => ivcap.addAspect(entity(), { $schema: SCHEMA }),
      () => ivcap.listAspects({ entity: ENTITY, limit: LISTED }).toArray(),
    ],
  }
}

async function measure(side: 'port' | 'client', which: number): Promise<Sample> {
  const call = (await calls())[side][which]
  if (call === undefined) throw new Error('no such call')
  for (let i = 0; i < WARM_UP; i++) await call()
  const ms = await timed(async () => {
    for (let i = 0; i < CALLS; i++) await call()
  })
  return { ms, counts: { 'µs a call': (ms / CALLS) * 1000, 'calls a second': (CALLS / ms) * 1000 } }
}

const portOf = (call: string) => `${call}: the store's port`
const clientOf = (call: string) => `ivcap, ${call}`

export const clientOverhead: Benchmark = {
  title: 'What the client costs over the store, in memory',
  chart: { measure: { count: 'µs a call' } },
  measuresMemory: [],
  contenders: Object.fromEntries(
    CALL_NAMES.flatMap((call, which): [string, (place: Place) => Promise<Sample>][] => [
      [portOf(call), () => measure('port', which)],
      [clientOf(call), () => measure('client', which)],
    ]),
  ),
  goals: [
    {
      what: 'calls of getArtifact a second',
      limit: 20_000,
      sense: 'at least',
      value: (f) => f.count(clientOf(CALL_NAMES[0]), 'calls a second'),
    },
    {
      what: 'calls of addAspect a second',
      limit: 10_000,
      sense: 'at least',
      value: (f) => f.count(clientOf(CALL_NAMES[1]), 'calls a second'),
    },
    ...CALL_NAMES.map((call) => ({
      what: `time of the port, to ${call}`,
      limit: 1.15,
      sense: 'at most' as const,
      value: (f: Figures) => f.ms(clientOf(call)) / f.ms(portOf(call)),
    })),
  ],
}
