import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { local } from '@ivcap/client'
import { Operator } from 'opendal'
import { type Benchmark, GiB, MiB, type Place, type Sample, timed } from '../benchmark.js'
import { randomFile } from '../data.js'

const CP = 'cp'
const HASH = 'node: sha256'
const OPENDAL = 'OpenDAL: copy'
const PLAIN = 'ivcap'
const CHECKED = 'ivcap, digest checked'

const FOLDER = 'artifacts'
const nameOf = (digest: boolean) => (digest ? 'digest.bin' : 'plain.bin')
const pathOf = (place: Place, digest: boolean) => join(place.dir, FOLDER, nameOf(digest))
const target = (place: Place) => join(place.dir, 'out', 'copy.bin')

async function download(place: Place, digest: boolean): Promise<Sample> {
  const ivcap = await local({ baseDir: join(place.dir, FOLDER) })
  const ms = await timed(async () => {
    const artifact = await ivcap.getArtifact(`urn:file://${pathOf(place, digest)}`)
    if ((artifact.sha256 !== undefined) !== digest) throw new Error('not the artifact that was meant')
    await artifact.asLocalFile(target(place))
  })
  await ivcap.close()
  const { size } = await stat(target(place))
  if (size !== place.size) throw new Error(`${size} bytes came of ${place.size}`)
  return { ms }
}

export const localDownload: Benchmark = {
  title: 'Save an artifact of a local folder to a file',
  size: GiB,
  measuresMemory: [PLAIN, CHECKED],
  setUp: async (place) => {
    const filePath = join(place.dir, 'source.bin')
    await randomFile(filePath, place.size)
    for (const digest of [false, true]) {
      const ivcap = await local({ baseDir: join(place.dir, FOLDER), digest })
      await ivcap.uploadArtifact({ name: nameOf(digest), filePath })
    }
  },
  contenders: {
    [CP]: async (place) => ({
      ms: await timed(async () => execFileSync('cp', [pathOf(place, false), target(place)])),
    }),
    [OPENDAL]: async (place) => {
      const operator = new Operator('fs', { root: place.dir })
      return { ms: await timed(() => operator.copy(join(FOLDER, nameOf(false)), join('out', 'copy.bin'))) }
    },
    [PLAIN]: (place) => download(place, false),
    [HASH]: async (place) => {
      const hash = createHash('sha256')
      const ms = await timed(async () => {
        for await (const chunk of createReadStream(pathOf(place, true), { highWaterMark: MiB }))
          hash.update(chunk)
        hash.digest('hex')
      })
      return { ms }
    },
    [CHECKED]: (place) => download(place, true),
  },
  goals: [
    { what: 'time of cp', limit: 1.2, sense: 'at most', value: (f) => f.ms(PLAIN) / f.ms(CP) },
    {
      what: 'time of cp and hashing one after the other, with a digest to check',
      limit: 1.2,
      sense: 'at most',
      value: (f) => f.ms(CHECKED) / (f.ms(CP) + f.ms(HASH)),
    },
    {
      what: 'MiB of peak memory',
      limit: 120,
      sense: 'at most',
      value: (f) => Math.max(f.peakRssMiB(PLAIN), f.peakRssMiB(CHECKED)),
    },
  ],
}
