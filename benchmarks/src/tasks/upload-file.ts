import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { local } from '@ivcap/client'
import { Operator } from 'opendal'
import { type Benchmark, GiB, MiB, type Place, type Sample, timed } from '../benchmark.js'
import { randomFile } from '../data.js'
import { pythonArtifacts, withPython } from '../python.js'

const source = (place: Place) => join(place.dir, 'source.bin')

async function upload(place: Place, digest: boolean): Promise<Sample> {
  const ivcap = await local({ baseDir: join(place.dir, 'out'), digest })
  const filePath = source(place)
  const ms = await timed(async () => {
    const artifact = await ivcap.uploadArtifact({ name: 'copy.bin', filePath })
    if (artifact.size !== place.size || (artifact.sha256 !== undefined) !== digest)
      throw new Error('not what was asked for')
  })
  await ivcap.close()
  return { ms }
}

const theirs = withPython({
  'Python client': (place) => pythonArtifacts(place, 'local', join(place.dir, 'out'), source(place)),
})

export const uploadFile: Benchmark = {
  title: 'Upload a file to a local folder',
  size: GiB,
  ...theirs,
  measuresMemory: ['ivcap', 'ivcap, digest'],
  setUp: (place) => randomFile(source(place), place.size),
  contenders: {
    cp: async (place) => ({
      ms: await timed(async () => execFileSync('cp', [source(place), join(place.dir, 'out', 'copy.bin')])),
    }),
    'OpenDAL: copy': async (place) => {
      const operator = new Operator('fs', { root: place.dir })
      return { ms: await timed(() => operator.copy('source.bin', join('out', 'copy.bin'))) }
    },
    ...theirs.contenders,
    'node: sha256': async (place) => ({
      ms: await timed(async () => {
        const hash = createHash('sha256')
        for await (const chunk of createReadStream(source(place), { highWaterMark: MiB })) hash.update(chunk)
        hash.digest('hex')
      }),
    }),
    ivcap: (place) => upload(place, false),
    'ivcap, digest': (place) => upload(place, true),
  },
  goals: [
    { what: 'time of cp', limit: 1.2, sense: 'at most', value: (f) => f.ms('ivcap') / f.ms('cp') },
    {
      what: 'time of the slower of cp and hashing, with a digest',
      limit: 1.2,
      sense: 'at most',
      value: (f) => f.ms('ivcap, digest') / Math.max(f.ms('cp'), f.ms('node: sha256')),
    },
    {
      what: 'MiB of peak memory',
      limit: 120,
      sense: 'at most',
      value: (f) => Math.max(f.peakRssMiB('ivcap'), f.peakRssMiB('ivcap, digest')),
    },
  ],
}
