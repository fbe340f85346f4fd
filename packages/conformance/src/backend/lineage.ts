import type { Artifact, Ivcap, Job, Lineage } from '@ivcap/core'
import { expect, it } from 'vitest'
import { expectError, rejectionOf } from '../support/expect-error.js'
import { clientOf, withServices } from '../support/services.js'
import type { BackendPlace } from './place.js'

const USED = 'urn:ivcap:schema.artifact-used-by-order'
const PRODUCED = 'urn:ivcap:schema.artifact-produced-by-order'
const OLD_USED = 'urn:ivcap:schema:artifact-usedBy-order.1'
const OLD_PRODUCED = 'urn:ivcap:schema:artifact-producedBy-order.1'
const jobUrn = (n: number) => `urn:ivcap:job:00000000-0000-4000-8000-${String(n).padStart(12, '0')}` as const

/** Lineage: which artifacts were made from which. Jobs record links; links that other programs recorded are read too. */
export function lineage(place: BackendPlace): void {
  const complete = withServices()
  const client = () => clientOf(complete(place.at))
  const named = (name: string) => (place.capabilities.recordsUploads ? { name } : {})
  const upload = (ivcap: Ivcap, name: string) => ivcap.uploadArtifact({ name, content: name })
  const link = (artifact: Artifact, schema: string, order: string) =>
    artifact.addMetadata({ $schema: schema, artifact: artifact.id, order })
  /** Returns the edges as pairs, without their kind. */
  const pairs = ({ edges }: Lineage) => edges.map(({ from, to }) => [from, to])
  const idsOf = ({ nodes }: Lineage) => nodes.map(({ id }) => id)

  async function shout(ivcap: Ivcap, text: Artifact, name: string): Promise<[Job, Artifact]> {
    const service = await ivcap.getServiceByName('shout')
    const job = await (await service.requestJob({ text: text.id, name })).wait({ pollInterval: 5 })
    return [job, await ivcap.getArtifact(String({ ...Object(job.result) }['output']))]
  }

  it('of an artifact between two jobs: where it comes from, what became of it', async () => {
    const ivcap = client()
    const first = await upload(ivcap, 'first.txt')
    const [one, middle] = await shout(ivcap, first, 'middle.txt')
    const [two, last] = await shout(ivcap, middle, 'last.txt')

    const both = await ivcap.lineage(middle.id)
    expect(both.nodes).toEqual([
      { id: middle.id, kind: 'artifact', ...named('middle.txt') },
      { id: one.id, kind: 'job', name: 'shout', status: 'succeeded' },
      { id: first.id, kind: 'artifact', ...named('first.txt') },
      { id: two.id, kind: 'job', name: 'shout', status: 'succeeded' },
      { id: last.id, kind: 'artifact', ...named('last.txt') },
    ])
    expect(both.edges).toEqual([
      { from: one.id, to: middle.id, kind: 'produced' },
      { from: first.id, to: one.id, kind: 'used' },
      { from: middle.id, to: two.id, kind: 'used' },
      { from: two.id, to: last.id, kind: 'produced' },
    ])
    expect(both.open).toEqual([])

    expect(idsOf(await ivcap.lineage(last.id, { direction: 'upstream' }))).toEqual(
      [last, two, middle, one, first].map(({ id }) => id),
    )
    expect(idsOf(await ivcap.lineage(last.id, { direction: 'downstream' }))).toEqual([last.id])
    expect(idsOf(await ivcap.lineage(one.id))).toEqual([one, first, middle, two, last].map(({ id }) => id))
    const near = await ivcap.lineage(middle.id, { depth: 1 })
    expect(idsOf(near)).toEqual([middle.id, one.id, two.id])
    expect(near.open).toEqual([one.id, two.id])
  })

  it('a job tells what it read and made', async () => {
    const ivcap = client()
    const text = await upload(ivcap, 'text.txt')
    const [job, output] = await shout(ivcap, text, 'output.txt')
    expect(await job.artifacts()).toEqual({ inputs: [text.id], outputs: [output.id] })
    const waiting = await (await ivcap.getServiceByName('wait')).requestJob({ entity: 'urn:example:x' })
    expect(await waiting.artifacts()).toEqual({ inputs: [], outputs: [] })
    await link(text, USED, waiting.id)
    expect(await waiting.artifacts()).toEqual({ inputs: [text.id], outputs: [] })
  })

  it('links that others recorded, in all their spellings', async () => {
    const ivcap = client()
    const [raw, clean, map] = [
      await upload(ivcap, 'raw'),
      await upload(ivcap, 'clean'),
      await upload(ivcap, 'map'),
    ]
    await link(raw, OLD_USED, jobUrn(1))
    await link(clean, OLD_PRODUCED, jobUrn(1))
    await link(clean, USED, 'urn:ivcap:order:2')
    await link(map, PRODUCED, 'urn:ivcap:order:2')
    const expected = [
      [raw.id, jobUrn(1)],
      [jobUrn(1), clean.id],
      [clean.id, 'urn:ivcap:order:2'],
      ['urn:ivcap:order:2', map.id],
    ]
    for (const start of [raw.id, jobUrn(1), clean.id, 'urn:ivcap:order:2', map.id]) {
      const found = await ivcap.lineage(start)
      expect(pairs(found).sort()).toEqual([...expected].sort())
      expect(found.nodes[0]?.id).toBe(start)
      expect(found.nodes.filter(({ kind }) => kind === 'job')).toHaveLength(2)
    }
  })

  it('circles end where they began', async () => {
    const ivcap = client()
    const [x, y] = [await upload(ivcap, 'x'), await upload(ivcap, 'y')]
    for (const [from, to, n] of [
      [x, y, 1],
      [y, x, 2],
      [x, x, 3],
    ] as const) {
      await link(from, USED, jobUrn(n))
      await link(to, PRODUCED, jobUrn(n))
    }
    const { nodes, edges, open } = await ivcap.lineage(x.id, { depth: Number.POSITIVE_INFINITY })
    expect([nodes.length, edges.length, open]).toEqual([5, 6, []])
  })

  // Sends hundreds of requests, to a server that may be busy with other clients.
  it('where there is too much, it says where to go on', { timeout: 120_000 }, async () => {
    const ivcap = client()
    const popular = await upload(ivcap, 'popular')
    await link(popular, PRODUCED, jobUrn(100))
    const links = Array.from({ length: 60 }, (_, n) => ({
      entity: popular.id,
      content: { $schema: USED, artifact: popular.id, order: jobUrn(n) },
    }))
    await ivcap.addAspects(links)
    const some = await ivcap.lineage(popular.id, { limit: 10 })
    expect([some.nodes.length, some.edges.length, some.open]).toEqual([10, 9, [popular.id]])
    expect((await ivcap.lineage(popular.id)).nodes).toHaveLength(62)
    const origin = await ivcap.lineage(popular.id, { direction: 'upstream', limit: 10 })
    expect(origin.edges).toEqual([{ from: jobUrn(100), to: popular.id, kind: 'produced' }])
    const alone = await ivcap.lineage(popular.id, { depth: 0 })
    expect([alone.nodes.length, alone.edges, alone.open]).toEqual([1, [], [popular.id]])
  })

  it('what nothing is recorded of stands alone', async () => {
    const { nodes, edges } = await client().lineage('urn:ivcap:artifact:00000000-0000-4000-8000-000000000000')
    expect([nodes.length, edges]).toEqual([1, []])
  })

  it('as a flowchart for Mermaid', async () => {
    const ivcap = client()
    const text = await upload(ivcap, 'a [b] "c" <d>.txt')
    await shout(ivcap, text, 'out.txt')
    const chart = (await ivcap.lineage(text.id)).toMermaid()
    const lines = chart.split('\n')
    expect(lines[0]).toBe('flowchart LR')
    expect(lines).toContain('  n1(["shout"])')
    expect(lines).toContain('  n0 --> n1')
    expect(lines).toContain('  n1 --> n2')
    if (place.capabilities.recordsUploads)
      expect(lines).toContain('  n0["a #91;b#93; #34;c#34; #60;d#62;.txt"]')
  })

  it('wrong arguments are said to be wrong, and an aborted call has its own reason', async () => {
    const ivcap = client()
    await expectError(ivcap.lineage('casts'), 'invalid-argument', 'id')
    await expectError(ivcap.lineage(jobUrn(1), { depth: -1 }), 'invalid-argument', 'depth')
    await expectError(ivcap.lineage(jobUrn(1), { limit: 0.5 }), 'invalid-argument', 'limit')
    const reason = new Error('enough')
    expect(await rejectionOf(ivcap.lineage(jobUrn(1), { signal: AbortSignal.abort(reason) }))).toBe(reason)
  })
}
