import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { connect } from '@ivcap/client'
import { type Benchmark, type Place, type Sample, timed } from '../benchmark.js'
import { TOKEN, urlOf } from '../deployment.js'
import { AT_ONCE, FILES, forEach, makeFiles, pathsOf, uploadAll } from '../small-files.js'

const BARE = 'node: fetch'
const BARE_AT_ONCE = `node: fetch, ${AT_ONCE} at once`
const OURS = 'ivcap'
const OURS_AT_ONCE = `ivcap, ${AT_ONCE} at once`

/** The file that stores the artifacts' ids for the contenders. */
const note = (place: Place) => join(place.dir, 'artifacts')
const idsOf = async (place: Place) => (await readFile(note(place), 'utf8')).split('\n')
const target = (place: Place, i: number) => join(place.dir, 'out', `${i}.bin`)
const client = (place: Place) => connect({ url: urlOf(place), token: TOKEN, stateDir: false })

async function ours(place: Place, atOnce: number): Promise<Sample> {
  const ids = await idsOf(place)
  const ivcap = await client(place)
  const one = async (id: string, i: number) => (await ivcap.getArtifact(id)).asLocalFile(target(place, i))
  const ms = await timed(() => forEach(ids, atOnce, one))
  await ivcap.close()
  return { ms }
}

/** Sends the same requests with Node's fetch, which keeps connections alive. Files are written as they arrive. */
async function bare(place: Place, atOnce: number): Promise<Sample> {
  const ids = await idsOf(place)
  const get = async (path: string) => {
    const headers = { Authorization: `Bearer ${TOKEN}` }
    const response = await fetch(`${urlOf(place)}/1/artifacts/${path}`, { headers })
    if (!response.ok) throw new Error(`${path}: ${response.status}`)
    return new Uint8Array(await response.arrayBuffer())
  }
  const one = async (id: string, i: number) => {
    const uuid = id.split(':').at(-1)
    await get(`${uuid}`)
    await writeFile(target(place, i), await get(`${uuid}/blob`))
  }
  return { ms: await timed(() => forEach(ids, atOnce, one)) }
}

export const platformSmallDownload: Benchmark = {
  title: `Download ${FILES} artifacts of 64 KiB of a deployment to files`,
  deployment: true,
  measuresMemory: [OURS, OURS_AT_ONCE],
  setUp: async (place) => {
    await makeFiles(place)
    const ids = await uploadAll(await client(place), pathsOf(place), AT_ONCE)
    await writeFile(note(place), ids.join('\n'))
  },
  contenders: {
    [BARE]: (place) => bare(place, 1),
    [OURS]: (place) => ours(place, 1),
    [BARE_AT_ONCE]: (place) => bare(place, AT_ONCE),
    [OURS_AT_ONCE]: (place) => ours(place, AT_ONCE),
  },
  goals: [
    {
      what: 'time of a bare client with the same requests, one artifact after the other',
      limit: 1.15,
      sense: 'at most',
      value: (f) => f.ms(OURS) / f.ms(BARE),
    },
    {
      what: `time of a bare client with the same requests, ${AT_ONCE} at once`,
      limit: 1.15,
      sense: 'at most',
      value: (f) => f.ms(OURS_AT_ONCE) / f.ms(BARE_AT_ONCE),
    },
  ],
}
