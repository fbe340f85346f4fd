import { copyFile, rename, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { local } from '@ivcap/client'
import { Operator } from 'opendal'
import { type Benchmark, type Place, type Sample, timed } from '../benchmark.js'
import { AT_ONCE, FILES, forEach, makeFiles, pathsOf, uploadAll } from '../small-files.js'

const COPY = 'node: copyFile'
const COPY_AT_ONCE = `node: copyFile, ${AT_ONCE} at once`
const STEPS = 'node: copyFile, rename, and a record'
const OPENDAL = 'OpenDAL: copy'
const OURS = 'ivcap'
const OURS_AT_ONCE = `ivcap, ${AT_ONCE} at once`

const target = (place: Place, path: string) => join(place.dir, 'out', basename(path))

async function copies(place: Place, atOnce: number): Promise<Sample> {
  const paths = pathsOf(place)
  return { ms: await timed(() => forEach(paths, atOnce, (path) => copyFile(path, target(place, path)))) }
}

/** The minimal steps that make a file visible completely or not at all, with a record next to it. */
async function steps(place: Place): Promise<Sample> {
  const put = async (path: string, make: (staged: string) => Promise<void>) => {
    await make(`${path}.part`)
    await rename(`${path}.part`, path)
  }
  const one = async (path: string) => {
    const to = target(place, path)
    await put(to, (staged) => copyFile(path, staged))
    await put(`${to}.json`, (staged) => writeFile(staged, JSON.stringify({ name: basename(path) })))
  }
  return { ms: await timed(() => forEach(pathsOf(place), 1, one)) }
}

async function uploads(place: Place, atOnce: number): Promise<Sample> {
  const ivcap = await local({ baseDir: join(place.dir, 'out') })
  const ms = await timed(() => uploadAll(ivcap, pathsOf(place), atOnce))
  await ivcap.close()
  return { ms }
}

export const localSmallFiles: Benchmark = {
  title: `Upload ${FILES} files of 64 KiB to a local folder`,
  measuresMemory: [OURS, OURS_AT_ONCE],
  setUp: (place) => makeFiles(place),
  contenders: {
    [COPY]: (place) => copies(place, 1),
    [STEPS]: steps,
    [OPENDAL]: async (place) => {
      const operator = new Operator('fs', { root: place.dir })
      const copy = (path: string) => operator.copy(join('files', basename(path)), join('out', basename(path)))
      return { ms: await timed(() => forEach(pathsOf(place), 1, copy)) }
    },
    [OURS]: (place) => uploads(place, 1),
    [COPY_AT_ONCE]: (place) => copies(place, AT_ONCE),
    [OURS_AT_ONCE]: (place) => uploads(place, AT_ONCE),
  },
  goals: [],
}
