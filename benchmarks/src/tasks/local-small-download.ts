import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { local } from '@ivcap/client'
import { type Benchmark, type Place, type Sample, timed } from '../benchmark.js'
import { AT_ONCE, FILES, forEach, makeFiles, pathsOf, uploadAll } from '../small-files.js'

const COPY = 'node: copyFile'
const COPY_AT_ONCE = `node: copyFile, ${AT_ONCE} at once`
const OURS = 'ivcap'
const OURS_AT_ONCE = `ivcap, ${AT_ONCE} at once`

const folder = (place: Place) => join(place.dir, 'artifacts')
const artifacts = (place: Place) => pathsOf(place).map((_, i) => join(folder(place), `${i}.bin`))
const target = (place: Place, i: number) => join(place.dir, 'out', `${i}.bin`)

async function copies(place: Place, atOnce: number): Promise<Sample> {
  const paths = artifacts(place)
  return { ms: await timed(() => forEach(paths, atOnce, (path, i) => copyFile(path, target(place, i)))) }
}

async function downloads(place: Place, atOnce: number): Promise<Sample> {
  const ivcap = await local({ baseDir: folder(place) })
  const one = async (path: string, i: number) => {
    const artifact = await ivcap.getArtifact(`urn:file://${path}`)
    await artifact.asLocalFile(target(place, i))
  }
  const ms = await timed(() => forEach(artifacts(place), atOnce, one))
  await ivcap.close()
  return { ms }
}

export const localSmallDownload: Benchmark = {
  title: `Save ${FILES} artifacts of 64 KiB of a local folder to files`,
  measuresMemory: [OURS, OURS_AT_ONCE],
  setUp: async (place) => {
    await makeFiles(place)
    await uploadAll(await local({ baseDir: folder(place) }), pathsOf(place), 1)
  },
  contenders: {
    [COPY]: (place) => copies(place, 1),
    [OURS]: (place) => downloads(place, 1),
    [COPY_AT_ONCE]: (place) => copies(place, AT_ONCE),
    [OURS_AT_ONCE]: (place) => downloads(place, AT_ONCE),
  },
  goals: [],
}
