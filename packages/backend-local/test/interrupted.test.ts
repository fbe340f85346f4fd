import type { ArtifactRecord, AspectRecord, Backend } from '@ivcap/core/driver'
import { memfs } from 'memfs'
import { describe, expect, it } from 'vitest'
import { localBackend } from '../src/index.js'
import { noise, readText, streamOf, text } from './bytes.js'
import { allArtifacts, allAspects, draft, entity, named, plain, tag } from './local.js'
import { type Change, errno, watched } from './support/failing-fs.js'

const OLD = 'the old content'
const NEW = 'the new content, which is longer'

/** A folder with something in it, and the same folder through a file system that fails as it is told. */
async function prepared(before: (change: Change) => void) {
  const { fs } = memfs()
  const fresh = () => localBackend({ baseDir: '/base', fs: fs.promises })
  const healthy = fresh()
  const artifact = await healthy.artifacts.create(text(OLD), named('x', 'text/old'), plain)
  const aspect = await healthy.aspects.assert(draft(entity, tag, { v: 'old' }), 'replace', {})
  const failing = localBackend({
    baseDir: '/base',
    fsync: true,
    fs: watched(fs.promises, { change: before }),
  })
  const staged = async () => (await fs.promises.readdir('/base/.ivcap/staging')).length
  return { fresh, failing, artifact, aspect, staged }
}

const upload = (b: Backend) => b.artifacts.create(text(NEW), named('x', 'text/new'), plain)
const first = (b: Backend) => b.artifacts.create(text(NEW), named('y', 'text/new'), plain)
const update = (b: Backend) => b.aspects.assert(draft(entity, tag, { v: 'new' }), 'replace', {})

type Step = (backend: Backend, before: { artifact: ArtifactRecord; aspect: AspectRecord }) => Promise<unknown>
const STEPS: readonly (readonly [string, Step])[] = [
  ['an upload in the place of another', upload],
  ['an upload', first],
  ['an update', update],
  ['a retraction', (b, { aspect }) => b.aspects.retract(aspect.id, {})],
]

describe.each(STEPS)('%s', (_, step) => {
  // known failure: local-kill-upload
  it('that stops anywhere, as when its process dies, is seen whole or not at all', async () => {
    let outcomes = 0
    for (let last = 0; ; last++) {
      let count = 0
      const dying = () => {
        if (count++ >= last) throw new Error('dead')
      }
      const { fresh, failing, ...before } = await prepared(dying)
      const died = await step(failing, before).then(
        () => false,
        () => true,
      )
      await seenWhole(fresh(), before.artifact, before.aspect)
      outcomes++
      if (!died && count <= last) break
    }
    expect(outcomes).toBeGreaterThan(5)
  })

  it.each([
    ['ENOSPC', 'unavailable', /disk is full/],
    ['EIO', 'unavailable', /disk reports an error/],
    ['EMFILE', 'unavailable', /too many files/],
    ['EROFS', 'permission-denied', /read-only/],
    ['EACCES', 'permission-denied', /permissions/],
  ] as const)(
    'that meets %s at any one call fails and changes nothing, or is done',
    async (code, kind, message) => {
      let failures = 0
      for (let at = 0; ; at++) {
        let count = 0
        const failingOnce = () => {
          if (count++ === at) throw errno(code)
        }
        const { fresh, failing, artifact, aspect, staged } = await prepared(failingOnce)
        const failure = await step(failing, { artifact, aspect }).then(
          () => undefined,
          (e: unknown) => e,
        )
        if (count <= at) break
        const view = fresh()
        if (failure !== undefined) {
          failures++
          expect(failure).toMatchObject({ code: kind, retryable: code === 'EMFILE' })
          expect(failure).toHaveProperty('message', expect.stringMatching(message))
          expect(await allArtifacts(view)).toEqual([artifact])
          expect(await readText((await view.artifacts.read(artifact.id, {})).body)).toBe(OLD)
          expect(await allAspects(view, { entity })).toEqual([aspect])
        } else {
          await seenWhole(view, artifact, aspect)
        }
        // at most what could not be removed because just that failed
        expect(await staged()).toBeLessThanOrEqual(1)
      }
      expect(failures).toBeGreaterThan(2)
    },
  )
})

it('a disk that fills up half way leaves the earlier content, and says what to do', async () => {
  let written = 0
  const { fresh, failing, artifact } = await prepared(({ call }) => {
    if (call === 'write' && ++written > 3) throw errno('ENOSPC')
  })
  const creating = failing.artifacts.create(streamOf(noise(9_000_000), 500_000), named('x'), plain)
  await expect(creating).rejects.toMatchObject({ code: 'unavailable', retryable: false, argument: 'baseDir' })
  await expect(creating).rejects.toThrow(/free some space/)
  expect(await allArtifacts(fresh())).toEqual([artifact])
})

it('is on the disk before it is acknowledged, with fsync', async () => {
  const changes: Change[] = []
  const { failing } = await prepared((change) => void changes.push(change))
  await first(failing)
  const synced = changes.filter((c) => c.call === 'sync').map((c) => c.path)
  expect(synced.filter((path) => path.includes('/staging/'))).toHaveLength(2)
  expect(synced).toContain('/base')
  expect(synced).toContain('/base/aspects')
  const order = changes.map(({ call, path }) => `${call} ${path}`)
  expect(order.indexOf('rename /base/y')).toBeLessThan(order.indexOf('sync /base'))
})

/** Before or after, and nothing in between. */
async function seenWhole(view: Backend, artifact: ArtifactRecord, aspect: AspectRecord): Promise<void> {
  for (const found of await allArtifacts(view)) {
    const content = await readText((await view.artifacts.read(found.id, {})).body)
    if (found.id === artifact.id && content === OLD) expect(found).toEqual(artifact)
    else expect([content, found.size]).toEqual([NEW, NEW.length])
  }
  const current = await allAspects(view, { entity })
  expect(current.length).toBeLessThanOrEqual(1)
  const old = await view.aspects.get(aspect.id, {})
  const [now] = current
  if (now === undefined) expect(old.validTo).toBeDefined()
  else if (now.id === aspect.id) expect(old).toEqual(aspect)
  else expect(now).toMatchObject({ content: { v: 'new' }, replaces: aspect.id, validFrom: old.validTo })
}
