/**
 * A race: a few clients of one store, each with its own clock, add, replace, retract and list aspects of one entity at the
 * same time. Requests interleave as the seed decides; clients crash, requests and answers get lost.
 */
import { blobAspects } from '../../src/engine/aspect-store.js'
import { createEngine, type Engine } from '../../src/engine/context.js'
import { vacuumBefore } from '../../src/engine/maintenance/vacuum.js'
import { IvcapError, isIvcapError } from '../../src/model/errors.js'
import type { AspectRecord } from '../../src/model/records.js'
import { timestamp } from '../../src/model/time.js'
import { aspectUrn, type Urn } from '../../src/model/urn.js'
import type { AspectQuery, AspectStore } from '../../src/ports/index.js'
import { Blobs, modelBlobs, type Network } from './model-blobs.js'
import { randomOf, uuidOf } from './random.js'
import { Scheduler } from './scheduler.js'

/** How aspects are kept: the engine, or something to compare it with. */
export type Protocol = (engine: Engine) => AspectStore

export const ENTITY = 'urn:test:entity'
export const SCHEMAS = ['urn:test:schema:tag.1', 'urn:test:schema:tag.2']

/** One call of a client. */
export interface Call {
  readonly kind: 'add' | 'replace' | 'retract' | 'list' | 'vacuum'
  readonly schema: string
  /** Ids that it drew: one of them is its record, if any. */
  readonly ids: Urn[]
  readonly n: number
  readonly began: number
  readonly target?: Urn
  readonly query?: Partial<AspectQuery>
  /** Set when it has succeeded. */
  acknowledged?: number
  record?: AspectRecord
  listed?: readonly AspectRecord[]
}

export type Weather = 'calm' | 'rough'

export interface Race {
  readonly weather: Weather
  readonly calls: readonly Call[]
  /** A client that comes afterwards, when all is quiet. */
  readonly later: AspectStore
  readonly blobs: Blobs
}

const EPOCH = 1_700_000_000_000_000
/** All that anybody adds is older. */
const FUTURE = timestamp(2 * EPOCH)

/** `calm`: nothing goes wrong but the interleaving; `rough`: clients crash, requests and answers get lost. */
export async function race(seed: number, weather: Weather, protocol: Protocol): Promise<Race> {
  const random = randomOf(seed)
  const below = (n: number) => Math.floor(random() * n)
  const blobs = new Blobs()
  const scheduler = new Scheduler(random)
  const skew = [0, 3, 5_000_000][below(3)] ?? 0
  const rough = weather === 'rough'
  // one, the other, or both
  const kind = 1 + below(3)
  const odds = { crashes: rough && kind !== 1 ? 0.03 : 0, faults: rough && kind !== 2 ? 0.04 : 0 }
  const calls: Call[] = []

  const client = (network: Network) => {
    const offset = Math.round((random() - 0.5) * skew)
    let current: Call | undefined
    const engine = createEngine(modelBlobs(blobs, network), {
      clock: () => EPOCH + offset + scheduler.now,
      random,
      uuid: () => {
        const uuid = uuidOf(random)
        current?.ids.push(aspectUrn(uuid))
        return uuid
      },
      pause: () => scheduler.turn(),
    })
    const store = protocol(engine)
    const perform = async () => {
      const call = nextCall(calls, below, scheduler.now)
      calls.push(call)
      current = call
      try {
        await carryOut(store, engine, call)
        call.acknowledged = scheduler.now
      } catch (error) {
        // what got lost on the way is no fault of the store: the caller does not know, and goes on
        const givenUp = call.kind === 'add' && calls.some(({ kind }) => kind === 'vacuum')
        if (isIvcapError(error, 'unavailable') || (givenUp && isIvcapError(error, 'already-exists'))) return
        throw error
      } finally {
        scheduler.now++
      }
    }
    return { store, perform }
  }

  const first = client({})
  for (let i = below(3); i > 0; i--) await first.perform()
  const failures: unknown[] = []
  for (let i = 2 + below(2); i > 0; i--) {
    const { perform } = client(networkOf(scheduler, random, odds))
    const run = async () => {
      await scheduler.turn()
      for (let left = 1 + below(2); left > 0; left--) await perform()
    }
    run().catch((error: unknown) => failures.push(error))
  }
  await scheduler.run()
  if (failures.length > 0) throw failures[0]
  return { weather, calls, later: client({}).store, blobs }
}

function nextCall(calls: readonly Call[], below: (n: number) => number, began: number): Call {
  const known = calls.flatMap(({ record }) => record?.id ?? [])
  const target = known[below(known.length)]
  // some races have a vacuum in them
  if (below(10) === 0) return { kind: 'vacuum', schema: '', ids: [], n: calls.length, began }
  const kinds = ['add', 'replace', 'replace', 'retract', 'list'] as const
  const kind = kinds[below(kinds.length)] ?? 'replace'
  const schema = SCHEMAS[below(8) === 0 ? 1 : 0] ?? ''
  const call = { schema, ids: [], n: calls.length, began }
  if (kind === 'retract') return target ? { ...call, kind, target } : { ...call, kind: 'replace' }
  if (kind !== 'list') return { ...call, kind }
  const queries = [{ entity: ENTITY, schema }, { entity: ENTITY, schema }, { entity: ENTITY }, { schema }, {}]
  return { ...call, kind, query: queries[below(queries.length)] ?? {} }
}

async function carryOut(store: AspectStore, engine: Engine, call: Call): Promise<void> {
  const { kind, schema, n, target } = call
  if (kind === 'vacuum') await vacuumBefore(engine, FUTURE, {})
  else if (kind === 'list') call.listed = await listAll(store, call.query ?? {})
  else if (kind === 'retract') await store.retract(target ?? 'urn:test:none', {})
  else {
    const draft = { entity: ENTITY, schema, content: { $schema: schema, n } }
    call.record = await store.assert(draft, kind, {})
  }
}

/** All that a query finds, page by page. */
export async function listAll(store: AspectStore, q: Partial<AspectQuery>): Promise<readonly AspectRecord[]> {
  const records: AspectRecord[] = []
  let cursor: string | undefined
  do {
    const page = await store.list(
      {
        orderBy: 'valid_from',
        orderDirection: 'DESC',
        includeContent: true,
        limit: 50,
        ...q,
        ...(cursor && { cursor }),
      },
      {},
    )
    records.push(...page.items)
    cursor = page.cursor
  } while (cursor !== undefined)
  return records
}

function networkOf(
  scheduler: Scheduler,
  random: () => number,
  { crashes, faults }: { readonly crashes: number; readonly faults: number },
): Network {
  const never = () => new Promise<never>(() => {})
  let dead = false
  const lost = (call: string, key: string) => new IvcapError('unavailable', `${call} ${key}: lost`)
  return {
    async arrive(call, key) {
      await scheduler.turn()
      if (dead) return await never()
      if (random() < crashes) {
        dead = true
        // the last request may still be carried out
        if (random() < 0.5) return await never()
      }
      if (random() < faults / 2) throw lost(call, key)
    },
    async answer(call, key) {
      if (dead) return await never()
      if (random() < faults / 2) throw lost(call, key)
    },
    meanwhile: () => (random() < 0.3 ? scheduler.turn() : undefined),
  }
}

/** The engine. */
export const engineProtocol: Protocol = blobAspects
