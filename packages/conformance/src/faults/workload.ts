import { Ivcap } from '@ivcap/core'
import { type Backend, isIvcapError, type Urn } from '@ivcap/core/driver'
import { upload } from '../support/artifacts.js'
import { allAspects, draft } from '../support/aspects.js'
import { someBytes, streamOf } from '../support/bytes.js'
import { transfer } from '../support/transfer.js'
import type { Asserted, Event, History } from './history.js'
import { randomOf } from './random.js'

export const ENTITIES = ['urn:example:one', 'urn:example:two'] as const
/** Aspects of this schema are updated; those of `ADDED` are added. */
export const UPDATED = 'urn:example:schema:updated.1'
export const ADDED = 'urn:example:schema:added.1'

const STEPS = 12
const LARGEST = 100_000

/** Returns the text in an aspect's content, besides its number. It shows whether the content is complete. */
export const textOf = (n: number): string => `${n} `.repeat(n % 200)

/** Returns the bytes of artifact number `n`, different for each. If `partSize` is given, one in eight has two and a half parts. */
const bytesOf = (n: number, partSize?: number): Uint8Array => {
  const part = randomOf(n)()
  const size = partSize !== undefined && part < 1 / 8 ? 2.5 * partSize : part * LARGEST
  const bytes = someBytes(Math.floor(size) + 8, n)
  new DataView(bytes.buffer, bytes.byteOffset).setFloat64(0, n)
  return bytes
}

/** Returns a name that artifact `n` shares with others, or undefined. If names are paths, these artifacts replace each other. */
const sharedName = (n: number): string | undefined =>
  n % 3 === 0 ? `shared/${n % 2 === 0 ? 'even' : 'odd'}.bin` : undefined

/** Returns the number of the upload with exactly these bytes; undefined if there is no such upload. */
export function uploadOf(bytes: Uint8Array, partSize?: number): number | undefined {
  const n = bytes.byteLength < 8 ? 0 : new DataView(bytes.buffer, bytes.byteOffset).getFloat64(0)
  return n > 0 && same(bytes, bytesOf(n, partSize)) ? n : undefined
}

/** Returns true if the artifact stored by upload `n` under this id may now have the content of upload `other`. */
export const mayBecome = (id: string, n: number, other: number): boolean =>
  n === other ||
  (id.startsWith('urn:file:') && sharedName(n) !== undefined && sharedName(n) === sharedName(other))

export interface WorkloadOptions {
  /** Bytes per request to the store. @default the store's own choice; then all uploads are small */
  readonly partSize?: number | undefined
}

/** The task of one writer. */
export interface Job extends WorkloadOptions {
  readonly seed: number
  /** The number of the writer among those of this seed. */
  readonly writer: number
}

interface Bench extends WorkloadOptions {
  readonly backend: Backend
  readonly random: () => number
  readonly history: History
  readonly tell: (event: Event) => void
}

/**
 * Runs one writer and reader. A call may fail with an IvcapError or with its own abort. It must not fail with a code of `WRONG`,
 * since its target was acknowledged.
 *
 * @param history The history of all writers to the store. Other writers may add to it.
 * @param tell Records each attempt and each outcome, before the next action starts.
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
/** Codes that must not occur: the caller's arguments are valid, and its targets exist. */
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

/** Reads with the client, which resumes a download that broke off and checks its digest. */
async function reading({ backend, tell, partSize }: Bench, artifact: readonly [Urn, number] | undefined) {
  if (artifact === undefined) return
  const [id, n] = artifact
  const bytes = await (await new Ivcap(backend).getArtifact(id)).bytes(transfer)
  const read = uploadOf(bytes, partSize)
  if (read === undefined || !mayBecome(id, n, read))
    tell({ kind: 'wrong', problem: `${id} was read with other bytes than were uploaded` })
}

/** Lists in pages so small that others write between two of them. */
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
