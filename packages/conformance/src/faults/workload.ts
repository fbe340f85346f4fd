import { Ivcap } from '@ivcap/core'
import { type Backend, isIvcapError, type Urn } from '@ivcap/core/driver'
import { upload } from '../support/artifacts.js'
import { allAspects, draft } from '../support/aspects.js'
import { someBytes, streamOf } from '../support/bytes.js'
import { transfer } from '../support/transfer.js'
import type { Asserted, Event, History } from './history.js'
import { randomOf } from './random.js'

export const ENTITIES = ['urn:example:one', 'urn:example:two'] as const
/** Records of this schema are updated, those of the other are added. */
export const UPDATED = 'urn:example:schema:updated.1'
export const ADDED = 'urn:example:schema:added.1'

const STEPS = 12
const LARGEST = 100_000

/** What an aspect says, besides its number: enough to see whether it is whole. */
export const textOf = (n: number): string => `${n} `.repeat(n % 200)

/** Bytes of the artifact number `n`: each is another. One in eight has two parts and a half, where there is a part size. */
const bytesOf = (n: number, partSize?: number): Uint8Array => {
  const part = randomOf(n)()
  const size = partSize !== undefined && part < 1 / 8 ? 2.5 * partSize : part * LARGEST
  const bytes = someBytes(Math.floor(size) + 8, n)
  new DataView(bytes.buffer, bytes.byteOffset).setFloat64(0, n)
  return bytes
}

/** Artifacts of which one takes the place of the other, where names are paths: the name of that number's, if it has one. */
const sharedName = (n: number): string | undefined =>
  n % 3 === 0 ? `shared/${n % 2 === 0 ? 'even' : 'odd'}.bin` : undefined

/** The number of the upload that these bytes are of, whole; undefined when they are of none. */
export function uploadOf(bytes: Uint8Array, partSize?: number): number | undefined {
  const n = bytes.byteLength < 8 ? 0 : new DataView(bytes.buffer, bytes.byteOffset).getFloat64(0)
  return n > 0 && same(bytes, bytesOf(n, partSize)) ? n : undefined
}

/** Whether what was stored as upload `n` under this id may have become upload `other`. */
export const mayBecome = (id: string, n: number, other: number): boolean =>
  n === other ||
  (id.startsWith('urn:file:') && sharedName(n) !== undefined && sharedName(n) === sharedName(other))

export interface WorkloadOptions {
  /** Bytes: what goes to the place in one request. Default: whatever it chooses; then all uploads are small. */
  readonly partSize?: number | undefined
}

/** What one writer is to do. */
export interface Job extends WorkloadOptions {
  readonly seed: number
  /** Its number among those of this seed. */
  readonly writer: number
}

interface Bench extends WorkloadOptions {
  readonly backend: Backend
  readonly random: () => number
  readonly history: History
  readonly tell: (event: Event) => void
}

/**
 * One writer and reader. A call may fail by an IvcapError or its own abort, and never of what was acknowledged.
 *
 * @param history of all writers to the place: others may add to it
 * @param tell Takes down what is tried and what came of it, each before the next thing is done.
 */
export async function runWorkload(
  backend: Backend,
  { seed, writer, partSize }: Job,
  history: History,
  tell: (event: Event) => void = (event) => history.record(event),
): Promise<void> {
  const random = randomOf(seed * 31 + writer)
  const bench: Bench = { partSize, backend, random, history, tell }
  const pick = <T>(items: readonly T[]) => items[Math.floor(random() * items.length)]
  for (let step = 0; step < STEPS; step++) {
    const n = seed * 10_000 + writer * 100 + step + 1
    const kind = random()
    const run =
      kind < 0.2
        ? uploading(bench, n)
        : kind < 0.45
          ? asserting(bench, { n, entity: pick(ENTITIES) ?? '', schema: UPDATED })
          : kind < 0.65
            ? asserting(bench, { n, entity: pick(ENTITIES) ?? '', schema: ADDED })
            : kind < 0.8
              ? retracting(bench, pick([...history.aspects.keys()]))
              : kind < 0.92
                ? reading(bench, pick([...history.artifacts]))
                : listing(bench, pick(ENTITIES) ?? '')
    await run.catch((error: unknown) => {
      tell({ kind: 'in doubt' })
      const expected = error === ABORTED || (isIvcapError(error) && !WRONG.has(error.code))
      if (!expected) tell({ kind: 'wrong', problem: `a call failed by ${String(error)}` })
    })
  }
}

const ABORTED = new Error('the caller has had enough')
/** The caller did nothing wrong, and what it asks for is there. */
const WRONG = new Set(['invalid-argument', 'not-found', 'unsupported'])

async function uploading({ backend, random, tell, partSize }: Bench, n: number): Promise<void> {
  const bytes = bytesOf(n, partSize)
  tell({ kind: 'uploading', n })
  const abort = new AbortController()
  const aborts = random() < 0.15
  const onProgress = () => {
    if (aborts) abort.abort(ABORTED)
  }
  const content = random() < 0.5 ? bytes : streamOf(bytes)
  const chunkSize = partSize === undefined ? {} : { chunkSize: partSize }
  const name = sharedName(n)
  const o = { signal: abort.signal, onProgress, ...chunkSize, ...(name !== undefined && { name }) }
  const { id } = await upload(backend, content, o)
  tell({ kind: 'uploaded', n, id })
}

async function asserting({ backend, tell }: Bench, asserted: Asserted): Promise<void> {
  const { n, entity, schema } = asserted
  tell({ kind: 'asserting', ...asserted })
  const mode = schema === UPDATED ? 'replace' : 'add'
  const { id } = await backend.aspects.assert(draft({ n, text: textOf(n) }, { entity, schema }), mode, {})
  tell({ kind: 'asserted', id, ...asserted })
}

async function retracting({ backend, tell }: Bench, id: Urn | undefined): Promise<void> {
  if (id === undefined) return
  tell({ kind: 'retracting', id })
  await backend.aspects.retract(id, {})
  tell({ kind: 'retracted', id })
}

/** By the client, which goes on where a download broke off, and checks its digest. */
async function reading({ backend, tell, partSize }: Bench, artifact: readonly [Urn, number] | undefined) {
  if (artifact === undefined) return
  const [id, n] = artifact
  const bytes = await (await new Ivcap(backend).getArtifact(id)).bytes(transfer)
  const read = uploadOf(bytes, partSize)
  if (read === undefined || !mayBecome(id, n, read))
    tell({ kind: 'wrong', problem: `${id} was read with other bytes than were uploaded` })
}

/** By pages so small that others write between two of them. */
async function listing({ backend, tell }: Bench, entity: string): Promise<void> {
  const records = await allAspects(backend, { entity, limit: 2 })
  const ids = new Set(records.map(({ id }) => id))
  if (ids.size < records.length) tell({ kind: 'wrong', problem: `a record of ${entity} is listed twice` })
  for (const { id, content } of records) {
    const n = content?.['n']
    if (typeof n !== 'number' || content?.['text'] !== textOf(n))
      tell({ kind: 'wrong', problem: `${id} is listed with another content than was asserted` })
  }
}

const same = (a: Uint8Array, b: Uint8Array): boolean =>
  a.byteLength === b.byteLength && a.every((byte, i) => byte === b[i])
