import { type Backend, isIvcapError, type Urn } from '@ivcap/core/driver'
import { download, upload } from '../support/artifacts.js'
import { draft } from '../support/aspects.js'
import { someBytes, streamOf } from '../support/bytes.js'
import { randomOf } from './random.js'

export const ENTITIES = ['urn:example:one', 'urn:example:two'] as const
/** Records of this schema are updated, those of the other are added. */
export const UPDATED = 'urn:example:schema:updated.1'
export const ADDED = 'urn:example:schema:added.1'

const STEPS = 12
const LARGEST = 100_000

/** What an aspect says, besides its number: enough to see whether it is whole. */
export const textOf = (n: number): string => `${n} `.repeat(n % 200)

/** Bytes of the artifact number `n`: each is another. */
export const bytesOf = (n: number): Uint8Array => {
  const size = Math.floor(randomOf(n)() * LARGEST)
  const bytes = someBytes(size + 8, n)
  new DataView(bytes.buffer, bytes.byteOffset).setFloat64(0, n)
  return bytes
}

interface Asserted {
  readonly n: number
  readonly entity: string
  readonly schema: string
}

/** What writers tried, and what they were told. */
export class Told {
  /** Numbers of all that was tried. */
  readonly uploads = new Set<number>()
  readonly assertions = new Map<number, Asserted>()
  /** Ids of the retractions that were tried. */
  readonly retractions = new Set<Urn>()
  /** What succeeded. */
  readonly artifacts = new Map<Urn, number>()
  readonly aspects = new Map<Urn, Asserted>()
  readonly retracted = new Set<Urn>()
  readonly problems: string[] = []
  inDoubt = 0

  get acknowledged(): number {
    return this.artifacts.size + this.aspects.size + this.retracted.size
  }
}

/** One writer and reader. A call may fail by an IvcapError or its own abort, and never of what was acknowledged. */
export async function work(backend: Backend, seed: number, writer: number, told: Told): Promise<void> {
  const random = randomOf(seed * 31 + writer)
  const pick = <T>(items: readonly T[]) => items[Math.floor(random() * items.length)]
  for (let step = 0; step < STEPS; step++) {
    const n = writer * 1000 + step + 1
    const kind = random()
    const run =
      kind < 0.2
        ? uploading(backend, n, random, told)
        : kind < 0.45
          ? asserting(backend, { n, entity: pick(ENTITIES) ?? '', schema: UPDATED }, told)
          : kind < 0.65
            ? asserting(backend, { n, entity: pick(ENTITIES) ?? '', schema: ADDED }, told)
            : kind < 0.8
              ? retracting(backend, pick([...told.aspects.keys()]), told)
              : reading(backend, pick([...told.artifacts]), told)
    await run.catch((error: unknown) => {
      told.inDoubt++
      const expected = error === ABORTED || (isIvcapError(error) && !WRONG.has(error.code))
      if (!expected) told.problems.push(`a call failed by ${String(error)}`)
    })
  }
}

const ABORTED = new Error('the caller has had enough')
/** The caller did nothing wrong, and what it asks for is there. */
const WRONG = new Set(['invalid-argument', 'not-found', 'unsupported', 'integrity'])

async function uploading(backend: Backend, n: number, random: () => number, told: Told): Promise<void> {
  const bytes = bytesOf(n)
  told.uploads.add(n)
  const abort = new AbortController()
  const aborts = random() < 0.15
  const onProgress = () => {
    if (aborts) abort.abort(ABORTED)
  }
  const content = random() < 0.5 ? bytes : streamOf(bytes)
  const { id } = await upload(backend, content, { signal: abort.signal, onProgress })
  told.artifacts.set(id, n)
}

async function asserting(backend: Backend, asserted: Asserted, told: Told): Promise<void> {
  const { n, entity, schema } = asserted
  told.assertions.set(n, asserted)
  const mode = schema === UPDATED ? 'replace' : 'add'
  const { id } = await backend.aspects.assert(draft({ n, text: textOf(n) }, { entity, schema }), mode, {})
  told.aspects.set(id, asserted)
}

async function retracting(backend: Backend, id: Urn | undefined, told: Told): Promise<void> {
  if (id === undefined) return
  told.retractions.add(id)
  await backend.aspects.retract(id, {})
  told.retracted.add(id)
}

async function reading(backend: Backend, artifact: readonly [Urn, number] | undefined, told: Told) {
  if (artifact === undefined) return
  const [id, n] = artifact
  const bytes = await download(backend, id)
  if (!same(bytes, bytesOf(n))) told.problems.push(`${id} was read with other bytes than were uploaded`)
}

export const same = (a: Uint8Array, b: Uint8Array): boolean =>
  a.byteLength === b.byteLength && a.every((byte, i) => byte === b[i])
