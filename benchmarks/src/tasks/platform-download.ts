import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { platformBackend } from '@ivcap/backend-platform'
import { Ivcap } from '@ivcap/core'
import { type Benchmark, GiB, type Place, type Sample, timed } from '../benchmark.js'
import { curl } from '../curl.js'
import { randomFile } from '../data.js'
import { TOKEN, urlOf } from '../deployment.js'
import { pythonArtifacts, withPython } from '../python.js'

const CURL = 'curl: GET'
const PYTHON = 'Python client'
const PLAIN = 'ivcap'
const CHECKED = 'ivcap, digest checked'

/** The file that stores the artifact's id for the contenders. */
const note = (place: Place) => join(place.dir, 'artifact')
const target = (place: Place) => join(place.dir, 'out', 'copy.bin')

const client = (place: Place, digest: boolean) =>
  new Ivcap(platformBackend({ url: urlOf(place), token: TOKEN, digest, stateDir: false }), {
    stateDir: false,
  })

async function download(place: Place, digest: boolean): Promise<Sample> {
  const id = await readFile(note(place), 'utf8')
  const ivcap = client(place, digest)
  const ms = await timed(async () => {
    const artifact = await ivcap.getArtifact(id)
    if ((artifact.sha256 !== undefined) !== digest) throw new Error('not the artifact that was meant')
    await artifact.asLocalFile(target(place))
  })
  await ivcap.close()
  await expectWhole(place)
  return { ms }
}

async function expectWhole(place: Place): Promise<void> {
  const { size } = await stat(target(place))
  if (size !== place.size) throw new Error(`${size} bytes came of ${place.size}`)
}

const theirs = withPython({
  [PYTHON]: async (place) => {
    const sample = await pythonArtifacts(
      place,
      'download',
      await readFile(note(place), 'utf8'),
      target(place),
    )
    await expectWhole(place)
    return sample
  },
})

export const platformDownload: Benchmark = {
  title: 'Download an artifact of a deployment to a file',
  size: GiB,
  deployment: true,
  ...theirs,
  measuresMemory: [PLAIN, CHECKED],
  setUp: async (place) => {
    const filePath = join(place.dir, 'source.bin')
    await randomFile(filePath, place.size)
    const { id } = await client(place, true).uploadArtifact({ name: 'copy.bin', filePath })
    await writeFile(note(place), id)
  },
  contenders: {
    [CURL]: async (place) => {
      const uuid = (await readFile(note(place), 'utf8')).split(':').at(-1)
      const ms = await timed(async () =>
        curl('-o', target(place), `${urlOf(place)}/1/artifacts/${uuid}/blob`),
      )
      await expectWhole(place)
      return { ms }
    },
    [PLAIN]: (place) => download(place, false),
    [CHECKED]: (place) => download(place, true),
    ...theirs.contenders,
  },
  goals: [
    { what: 'time of curl', limit: 1.35, sense: 'at most', value: (f) => f.ms(PLAIN) / f.ms(CURL) },
    {
      what: 'time of curl, which checks nothing, with a digest to check',
      limit: 1.5,
      sense: 'at most',
      value: (f) => f.ms(CHECKED) / f.ms(CURL),
    },
    {
      what: 'time of the Python client, which checks nothing, with a digest to check',
      limit: 1,
      sense: 'at most',
      value: (f) => f.ms(CHECKED) / f.ms(PYTHON),
    },
    {
      what: 'MiB of peak memory',
      limit: 160,
      sense: 'at most',
      value: (f) => Math.max(f.peakRssMiB(PLAIN), f.peakRssMiB(CHECKED)),
    },
  ],
}
