import {
  type ArtifactRecord,
  type AspectRecord,
  type Backend,
  type ByteSource,
  contentSource,
  type OpOptions,
} from '@ivcap/core/driver'
import { beforeEach, describe, expect, it } from 'vitest'
import { allArtifacts, artifactQuery, download, upload } from '../support/artifacts.js'
import { add, allAspects, aspectQuery, draft } from '../support/aspects.js'
import { chunksOf, expectBytes, MiB, someBytes, streamFrom, streamOf } from '../support/bytes.js'
import { rejectionOf } from '../support/expect-error.js'
import { transfer } from '../support/transfer.js'
import type { BackendPlace } from './place.js'

interface Known {
  readonly artifact: ArtifactRecord
  readonly aspect: AspectRecord
}

const content = someBytes(6 * MiB)

const operations: Readonly<Record<string, (b: Backend, known: Known, o: OpOptions) => Promise<unknown>>> = {
  'artifacts.create': (b, _, o) => upload(b, content, { ...o, name: 'new' }),
  'artifacts.create in the place of another': (b, _, o) =>
    upload(b, streamOf(content), { ...o, name: 'known' }),
  'artifacts.stat': (b, { artifact }, o) => b.artifacts.stat(artifact.id, o),
  'artifacts.read': (b, { artifact }, o) => b.artifacts.read(artifact.id, o),
  'artifacts.list': (b, _, o) => b.artifacts.list(artifactQuery(), o),
  'aspects.assert to add': (b, _, o) => b.aspects.assert(draft({ n: 'new' }), 'add', o),
  'aspects.assert to replace': (b, _, o) => b.aspects.assert(draft({ n: 'new' }), 'replace', o),
  'aspects.get': (b, { aspect }, o) => b.aspects.get(aspect.id, o),
  'aspects.list': (b, _, o) => b.aspects.list(aspectQuery(), o),
  'aspects.retract': (b, { aspect }, o) => b.aspects.retract(aspect.id, o),
}

/** An aborted operation must reject with the caller's own reason and must change nothing. */
export function aborts(place: BackendPlace): void {
  let known: Known
  let before: unknown
  const state = async () => [await allArtifacts(place.at), await allAspects(place.at)]

  beforeEach(async () => {
    known = {
      artifact: await upload(place.at, content, { name: 'known' }),
      aspect: await add(place.at, { n: 'known' }),
    }
    before = await state()
  })

  describe.each(Object.entries(operations))('%s', (_, run) => {
    it('aborted before it begins', async () => {
      const reason = { any: 'value may be a reason' }
      expect(await rejectionOf(run(place.at, known, { signal: AbortSignal.abort(reason) }))).toBe(reason)
      expect(await state()).toEqual(before)
    })

    it('aborted as soon as it has begun', async () => {
      const caller = new AbortController()
      const reason = new Error('changed my mind')
      const running = rejectionOf(run(place.at, known, { signal: caller.signal }))
      caller.abort(reason)
      expect(await running).toBe(reason)
      expect(await state()).toEqual(before)
    })
  })

  // A program may poll in this way until another part of it has finished.
  it.each(['artifacts.stat', 'artifacts.list', 'aspects.get', 'aspects.list'])(
    '%s in a loop lets a timer fire',
    async (name) => {
      let fired = false
      setTimeout(() => {
        fired = true
      })
      const end = performance.now() + 5_000
      while (!fired && performance.now() < end) await operations[name]?.(place.at, known, {})
      expect(fired).toBe(true)
    },
  )

  // known failure: abort-commits
  it.each([0, 1, 48, 95])('an upload aborted as chunk %i of 96 is taken', async (last) => {
    for (const name of ['new', 'known']) {
      const caller = new AbortController()
      let released = false
      const source = async function* () {
        try {
          for (const [i, chunk] of [...chunksOf(content)].entries()) {
            if (i === last) caller.abort(new Error('enough'))
            yield chunk
          }
        } finally {
          released = true
        }
      }
      const doomed = upload(place.at, streamFrom(source()), { name, signal: caller.signal })
      expect(await rejectionOf(doomed)).toBe(caller.signal.reason)
      expect(released).toBe(true)
      expect(await state()).toEqual(before)
    }
    expectBytes(await download(place.at, known.artifact.id), content)
  })

  // known failure: abort-commits
  it.each(['new', 'known'])('an upload of %s aborted when all bytes have come', async (name) => {
    const caller = new AbortController()
    const source: ByteSource = {
      ...contentSource(content),
      unchanged: async () => {
        caller.abort(new Error('enough'))
        return true
      },
    }
    const into = { name, mimeType: 'text/plain', collection: 'urn:example:collection:1' } as const
    const doomed = place.at.artifacts.create(source, into, { ...transfer, signal: caller.signal })
    expect(await rejectionOf(doomed)).toBe(caller.signal.reason)
    expect(await state()).toEqual(before)
    expectBytes(await download(place.at, known.artifact.id), content)
  })

  it('an upload aborted while its source has nothing to give', async () => {
    const caller = new AbortController()
    const dry = new ReadableStream<Uint8Array>(
      {
        pull() {
          queueMicrotask(() => caller.abort(new Error('enough')))
          return new Promise(() => {})
        },
      },
      { highWaterMark: 0 },
    )
    expect(await rejectionOf(upload(place.at, dry, { signal: caller.signal }))).toBe(caller.signal.reason)
    expect(await state()).toEqual(before)
  })

  it.each([0, 1])('a download aborted after %i chunks', async (chunks) => {
    const caller = new AbortController()
    const { body } = await place.at.artifacts.read(known.artifact.id, { signal: caller.signal })
    const reader = body.getReader()
    for (let i = 0; i < chunks; i++) expect((await reader.read()).done).toBe(false)
    caller.abort(new Error('enough'))
    expect(await rejectionOf(readToEnd(reader))).toBe(caller.signal.reason)
    expectBytes(await download(place.at, known.artifact.id), content)
  })

  it('a download that is cancelled, before or half way, is over', async () => {
    for (const chunks of [0, 1]) {
      const { body } = await place.at.artifacts.read(known.artifact.id, {})
      const reader = body.getReader()
      for (let i = 0; i < chunks; i++) await reader.read()
      await reader.cancel()
      expect(await reader.read()).toEqual({ done: true, value: undefined })
    }
  })

  it('a signal that aborts afterwards disturbs nothing', async () => {
    const caller = new AbortController()
    const { id } = await upload(place.at, content, { name: 'new', signal: caller.signal })
    caller.abort()
    expectBytes(await download(place.at, id), content)
  })
}

async function readToEnd(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  while (!(await reader.read()).done);
}
