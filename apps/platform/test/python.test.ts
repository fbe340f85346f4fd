import { createHash, randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { testServices } from '@ivcap/conformance'
import { describe, expect, it } from 'vitest'
import { upload } from './support/client.js'
import { cuttingProxy } from './support/cutting-proxy.js'
import { python, runPython } from './support/python.js'
import { folder, started } from './support/server.js'

const COLLECTION = 'urn:ivcap:collection:reef-7'

const failure = (status: number) => ({ error: 'IvcapApiError', status })

async function file(bytes: Uint8Array): Promise<string> {
  const path = join(await folder(), 'data.csv')
  await writeFile(path, bytes)
  return path
}

describe.runIf(python !== undefined)("IVCAP's Python client", () => {
  it('uploads a file, and knows it again', async () => {
    const server = await started()
    const bytes = randomBytes(3_000_001)
    const said = await runPython(server, 'upload_file', await file(bytes))
    const { id } = Object(said)
    const md5 = createHash('md5').update(bytes).digest('hex')
    expect(said).toEqual({
      id: expect.stringMatching(/^urn:ivcap:artifact:[0-9a-f-]{36}$/),
      status: 'ready',
      name: 'Grüße 🐠.csv',
      size: bytes.byteLength,
      type: 'text/csv',
      policy: null,
      again: id,
      sidecar: `${md5}|${id}\n`,
    })
    const there = await fetch(`${server.url}/1/artifacts/${id}/blob`)
    expect(Buffer.from(await there.arrayBuffer()).equals(bytes)).toBe(true)
  })

  it('uploads an empty file', async () => {
    const said = await runPython(await started(), 'upload_file', await file(new Uint8Array()))
    expect(said).toMatchObject({ status: 'ready', size: 0 })
  })

  it('uploads a stream, which ends only if its size was told', async () => {
    const server = await started()
    const known = await runPython(server, 'upload_stream', 'grüße', '7')
    expect(known).toMatchObject({ status: 'ready', type: 'text/plain', size: 7 })
    // the client never says that such a stream has ended, and any PATCH may have been just a part of it
    expect(await runPython(server, 'upload_stream', 'grüße', '-1')).toMatchObject({ status: 'partial' })
  })

  it('uploads a tar archive whose size it does not know', async () => {
    const said = await runPython(await started(), 'upload_tar', '20')
    expect(said).toMatchObject({ status: 'ready', name: 'all.tar.gz', type: 'application/gzip' })
    expect(Object(said).members).toHaveLength(20)
  })

  it('finds a service, runs it, and fetches what it made', async () => {
    const server = await started({ services: testServices })
    const said = await runPython(server, 'run_service', await file(Buffer.from('coral')))
    expect(said).toMatchObject({
      services: ['echo', 'fail', 'no-json'],
      takes: { text: ['artifact', false], times: ['int', true], mark: ['option', true] },
      succeeded: true,
      letters: 5,
      failed: true,
      output: 'CORAL!CORAL!',
    })
  })

  it('uploads into a collection, with a policy', async () => {
    const path = await file(randomBytes(10))
    const policy = 'urn:ivcap:policy:ivcap.open.metadata'
    const said = await runPython(await started(), 'upload_labelled', path, COLLECTION, policy)
    expect(said).toMatchObject({ policy, items: [Object(said).id] })
  })

  it('goes on with an upload that was cut off', async () => {
    const server = await started()
    const bytes = randomBytes(2_000_000)
    const url = await cuttingProxy(server.url, [100_000, 200_000, 1_000])
    const said = await runPython({ url }, 'upload_chunks', await file(bytes))
    expect(said).toMatchObject({ status: 'ready', size: bytes.byteLength })
    const there = await fetch(`${server.url}/1/artifacts/${Object(said).id}/blob`)
    expect(Buffer.from(await there.arrayBuffer()).equals(bytes)).toBe(true)
  })

  it('downloads in each of its ways', async () => {
    const server = await started()
    const bytes = new Uint8Array(randomBytes(1_234_567))
    const { id } = await upload(server.url, bytes)
    const path = join(await folder(), 'below', 'file')
    const size = bytes.byteLength
    expect(await runPython(server, 'download', id, path)).toEqual({
      last: [size, size],
      temp: size,
      opened: size,
      streamed: size,
    })
    expect((await readFile(path)).equals(bytes)).toBe(true)
  })

  // oldest first, unlike other clients
  it('lists artifacts over pages', async () => {
    const server = await started()
    const ids: string[] = []
    for (let n = 0; n < 107; n++) ids.push((await upload(server.url, '')).id)
    const lists = await runPython(server, 'list_artifacts', 'all', '60', '7')
    expect(lists).toEqual([ids, ids.slice(0, 60), ids.slice(0, 7)])
  })

  it('adds metadata to an artifact', async () => {
    const server = await started()
    const { id } = await upload(server.url, 'x')
    expect(await runPython(server, 'metadata', id)).toEqual([
      'urn:example:schema:tag.1',
      'urn:ivcap:schema.artifact.1',
    ])
  })

  it('adds, updates, lists and retracts aspects, and goes back in time', async () => {
    const $entity = 'urn:example:reef:ü'
    const $schema = 'urn:example:schema:depth.1'
    expect(await runPython(await started(), 'aspects', $entity)).toEqual({
      content: { $schema, $entity, depth: 1, ü: '珊瑚' },
      asserter: expect.stringMatching(/^urn:ivcap:account:/),
      current: [{ $schema, $entity, depth: 2 }],
      earlier: [{ $schema, $entity, depth: 1, ü: '珊瑚' }],
      after: 0,
      closed: true,
    })
  })

  it('lists aspects over pages', async () => {
    const server = await started()
    const query = new URLSearchParams({ entity: 'urn:example:many', schema: 'urn:example:schema:n.1' })
    for (let n = 0; n < 105; n++) {
      const headers = { 'Content-Type': 'application/json' }
      await fetch(`${server.url}/1/aspects?${query}`, { method: 'POST', headers, body: `{"n":${n}}` })
    }
    const all = Array.from({ length: 105 }, (_, n) => n)
    const lists = await runPython(server, 'list_aspects', 'urn:example:many', 'all', '51')
    expect(lists).toEqual([all, all.slice(0, 51)])
  })

  it('makes, fills, lists and retracts a collection', async () => {
    expect(await runPython(await started(), 'collections', COLLECTION, '61')).toEqual({
      created: 'Reef',
      name: 'Reef 7',
      description: 'of 2026',
      added: 61,
      items: 61,
      collections: ['Reef 7'],
      retracted: 62,
      left: 0,
    })
  })

  it('asks by content path what a collection has, and which collections have a name', async () => {
    const item = 'urn:ivcap:artifact:x'
    expect(await runPython(await started(), 'collection_queries', COLLECTION, item)).toEqual({
      added: [true, false],
      other: true,
      starts: ['Reef'],
      equals: ['Deep reef'],
      like: expect.toSatisfy((names: string[]) => `${names.sort()}` === 'Deep reef,Reef'),
      wrong: failure(422),
      removed: [true, false],
      left: [`${item}y`],
    })
  })

  it('lists aspects by content path, over pages', async () => {
    expect(await runPython(await started(), 'content_paths', 'urn:example:many')).toEqual({
      large: Array.from({ length: 49 }, (_, i) => i + 11),
      none: [],
      wrong: failure(422),
      'left out': failure(501),
    })
  })

  it('hears what went wrong', async () => {
    const server = await started()
    const nobody = 'urn:ivcap:artifact:00000000-0000-4000-8000-000000000000'
    expect(await runPython(server, 'failures', nobody)).toEqual([404, 422, 422, 501].map(failure))
  })

  it('is let in with the right token alone', async () => {
    const { url } = await started({ auth: { token: 'secret' } })
    const said = await runPython({ url, token: 'secret' }, 'upload_stream', 'x', '1')
    expect(said).toMatchObject({ status: 'ready' })
    const refused = { error: 'NotAuthorizedException', status: 401 }
    expect(await runPython({ url, token: 'wrong' }, 'failures', 'x')).toEqual(Array(4).fill(refused))
  })
})
