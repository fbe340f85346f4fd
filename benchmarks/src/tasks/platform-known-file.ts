import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { connect } from '@ivcap/client'
import { type Benchmark, GiB, MiB, type Place, type Sample, timed } from '../benchmark.js'
import { randomFile } from '../data.js'
import { TOKEN, urlOf } from '../deployment.js'
import { pythonArtifacts, withPython } from '../python.js'

const STAT = 'node: stat'
const HASH = 'node: md5'
const PYTHON = 'Python client, by its sidecar'
const BY_SIDECAR = 'ivcap, by its sidecar'
const BY_STAT = 'ivcap, by its stat'

const source = (place: Place) => join(place.dir, 'source.bin')
const client = (place: Place, stateDir: string | false) =>
  connect({ url: urlOf(place), token: TOKEN, stateDir })
const stateOf = (place: Place) => join(place.dir, 'state')

/** Measures an upload that finds out that the file is already uploaded. */
async function uploadAgain(place: Place, stateDir: string | false): Promise<Sample> {
  const ivcap = await client(place, stateDir)
  const [known] = await ivcap.listArtifacts().toArray()
  let id = ''
  const ms = await timed(async () => {
    id = (await ivcap.uploadArtifact({ filePath: source(place) })).id
  })
  await ivcap.close()
  if (id !== known?.id) throw new Error('it was uploaded again')
  return { ms }
}

const theirs = withPython({ [PYTHON]: (place) => pythonArtifacts(place, 'again', source(place)) })

export const platformKnownFile: Benchmark = {
  title: 'Upload a file that the deployment has already',
  chart: { scale: 'log' },
  size: GiB,
  deployment: true,
  measuresMemory: [BY_SIDECAR, BY_STAT],
  ...theirs,
  setUp: async (place) => {
    await randomFile(source(place), place.size)
    await (await client(place, stateOf(place))).uploadArtifact({ filePath: source(place) })
  },
  contenders: {
    [STAT]: async (place) => ({ ms: await timed(() => stat(source(place))) }),
    [BY_STAT]: (place) => uploadAgain(place, stateOf(place)),
    [HASH]: async (place) => {
      const hash = createHash('md5')
      const ms = await timed(async () => {
        for await (const chunk of createReadStream(source(place), { highWaterMark: MiB })) hash.update(chunk)
        hash.digest('hex')
      })
      return { ms }
    },
    [BY_SIDECAR]: (place) => uploadAgain(place, false),
    ...theirs.contenders,
  },
  goals: [
    {
      what: 'of the time of hashing it, where its stat is known',
      limit: 0.1,
      sense: 'at most',
      value: (f) => f.ms(BY_STAT) / f.ms(HASH),
    },
    {
      what: 'time of hashing it, where only the sidecar is there',
      limit: 1.1,
      sense: 'at most',
      value: (f) => f.ms(BY_SIDECAR) / f.ms(HASH),
    },
    {
      what: 'time of the Python client, where only the sidecar is there',
      limit: 1,
      sense: 'at most',
      value: (f) => f.ms(BY_SIDECAR) / f.ms(PYTHON),
    },
  ],
}
