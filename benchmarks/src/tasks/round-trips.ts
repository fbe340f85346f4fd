import { mkdir } from 'node:fs/promises'
import { createServer, request } from 'node:http'
import { join } from 'node:path'
import { fileBlobs } from '@ivcap/backend-local'
import { connect } from '@ivcap/client'
import { Ivcap } from '@ivcap/core'
import type { BlobStore } from '@ivcap/core/driver'
import { blobBackend } from '@ivcap/core/engine'
import { type Benchmark, type Place, type Sample, timed } from '../benchmark.js'
import { clearDeployment, TOKEN, urlOf } from '../deployment.js'

/** Milliseconds of delay before each response. */
const DELAY = 50
const TRIPS = 'round trips'
const HITS = 8
const SCHEMA = 'urn:example:schema:quality.1'
const CONTENT = new Uint8Array(100_000)

/** Prepares the operation, and returns the function that is measured. */
type Operation = (ivcap: Ivcap) => Promise<() => Promise<unknown>>

const stored = (ivcap: Ivcap) =>
  ivcap.uploadArtifact({ name: 'cast', content: CONTENT, contentType: 'application/octet-stream' })

const upload: Operation = async (ivcap) => {
  await stored(ivcap)
  return () => stored(ivcap)
}
const getArtifact: Operation = async (ivcap) => {
  const { id } = await stored(ivcap)
  return () => ivcap.getArtifact(id)
}
const getBytes: Operation = async (ivcap) => {
  const { id } = await stored(ivcap)
  return async () => (await ivcap.getArtifact(id)).bytes()
}
const add: Operation = async (ivcap) => {
  await ivcap.addAspect('urn:example:reef:1', { $schema: SCHEMA })
  return () => ivcap.addAspect('urn:example:reef:2', { $schema: 'urn:example:schema:first-of-its-kind.1' })
}
const update: Operation = async (ivcap) => {
  await ivcap.updateAspect('urn:example:reef:1', { $schema: SCHEMA, level: 'raw' })
  return () => ivcap.updateAspect('urn:example:reef:1', { $schema: SCHEMA, level: 'checked' })
}
const retract: Operation = async (ivcap) => {
  const aspect = await ivcap.updateAspect('urn:example:reef:1', { $schema: SCHEMA, level: 'raw' })
  return () => aspect.retract()
}
const addToCollection: Operation = async (ivcap) => {
  const reef = await ivcap.createCollection({ name: 'Reef 7' })
  return () => reef.add('urn:example:reef:1')
}
const list: Operation = async (ivcap) => {
  for (let i = 0; i < HITS; i++) await ivcap.addAspect(`urn:example:reef:${i}`, { $schema: SCHEMA })
  return () => ivcap.listAspects({ schema: SCHEMA }).toArray()
}
const find: Operation = async (ivcap) => {
  for (let i = 0; i < HITS; i++) {
    const artifact = await stored(ivcap)
    await artifact.addMetadata({ $schema: SCHEMA, tags: i % 2 ? ['coral'] : ['coral', 'sand'] })
  }
  return async () => {
    const found = await ivcap.findArtifacts({ schema: SCHEMA, where: { tags: 'coral' } }).toArray()
    if (found.length !== HITS) throw new Error(`${found.length} of ${HITS} artifacts were found`)
  }
}

/** Operations with the maximum number of round trips, in a bucket and through a deployment. */
const operations: Readonly<
  Record<string, { readonly run: Operation; readonly bucket: number; readonly deployment: number }>
> = {
  'upload of 100 kB': { run: upload, bucket: 3, deployment: 3 },
  getArtifact: { run: getArtifact, bucket: 2, deployment: 1 },
  'getArtifact and bytes': { run: getBytes, bucket: 4, deployment: 2 },
  addAspect: { run: add, bucket: 2, deployment: 1 },
  updateAspect: { run: update, bucket: 4, deployment: 1 },
  // Reads the record again.
  retract: { run: retract, bucket: 6, deployment: 2 },
  'collection.add': { run: addToCollection, bucket: 4, deployment: 2 },
  'listAspects of 8': { run: list, bucket: 3, deployment: 1 },
  'findArtifacts of 8': { run: find, bucket: 5, deployment: 3 },
}

async function measured(ivcap: Ivcap, run: Operation, delays: { on: boolean }): Promise<Sample> {
  const work = await run(ivcap)
  delays.on = true
  const ms = await timed(work)
  delays.on = false
  await ivcap.close()
  return { ms, counts: { [TRIPS]: ms / DELAY } }
}

const delayed = (delays: { readonly on: boolean }) =>
  new Promise((resolve) => setTimeout(resolve, delays.on ? DELAY : 0))

/** Measures with blobs in a folder, where each call is delayed. */
async function inBucket({ dir }: Place, run: Operation): Promise<Sample> {
  const folder = join(dir, 'out', 'blobs')
  await mkdir(folder, { recursive: true })
  const delays = { on: false }
  const blobs = fileBlobs({ dir: folder })
  const after = <A extends unknown[], T>(call: (...args: A) => Promise<T>) => {
    return async (...args: A) => {
      await delayed(delays)
      return call.apply(blobs, args)
    }
  }
  const slow: BlobStore = {
    uri: blobs.uri,
    atomicCreate: blobs.atomicCreate,
    put: after(blobs.put),
    get: after(blobs.get),
    head: after(blobs.head),
    list: after(blobs.list),
    delete: after(blobs.delete),
    ...(blobs.deleteMany && { deleteMany: after(blobs.deleteMany) }),
  }
  return measured(new Ivcap(blobBackend(slow), { stateDir: false }), run, delays)
}

/** Measures with a deployment behind a proxy that delays each request. */
async function throughDeployment(place: Place, run: Operation): Promise<Sample> {
  const delays = { on: false }
  const { hostname, port } = new URL(urlOf(place))
  const proxy = createServer((incoming, answer) => {
    void delayed(delays).then(() => {
      const { method, url: path, headers } = incoming
      const outgoing = request({ hostname, port, method, path, headers }, (got) => {
        answer.writeHead(got.statusCode ?? 502, got.rawHeaders)
        got.pipe(answer)
      })
      incoming.pipe(outgoing)
    })
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  const address = proxy.address()
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port')
  const ivcap = await connect({ url: `http://127.0.0.1:${address.port}`, token: TOKEN, stateDir: false })
  try {
    return await measured(ivcap, run, delays)
  } finally {
    proxy.close()
    proxy.closeAllConnections()
  }
}

const bucketOf = (name: string) => `in a bucket: ${name}`
const deploymentOf = (name: string) => `through a deployment: ${name}`

export const roundTrips: Benchmark = {
  title: `Requests one after the other, with ${DELAY} ms on each`,
  chart: { measure: { count: TRIPS } },
  measuresMemory: [],
  deployment: true,
  clear: clearDeployment,
  contenders: Object.fromEntries(
    Object.entries(operations).flatMap(([name, { run }]): [string, (place: Place) => Promise<Sample>][] => [
      [bucketOf(name), (place) => inBucket(place, run)],
      [deploymentOf(name), (place) => throughDeployment(place, run)],
    ]),
  ),
  goals: Object.entries(operations).flatMap(([name, { bucket, deployment }]) => [
    // Half a round trip more, for the computation in between.
    {
      what: `round trips, ${bucketOf(name)}`,
      limit: bucket + 0.5,
      sense: 'at most',
      value: (f) => f.count(bucketOf(name), TRIPS),
    },
    {
      what: `round trips, ${deploymentOf(name)}`,
      limit: deployment + 0.5,
      sense: 'at most',
      value: (f) => f.count(deploymentOf(name), TRIPS),
    },
  ]),
}
