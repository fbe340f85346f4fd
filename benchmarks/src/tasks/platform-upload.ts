import { join } from 'node:path'
import { connect } from '@ivcap/client'
import { type Benchmark, GiB, type Place, type Sample, timed } from '../benchmark.js'
import { curl } from '../curl.js'
import { randomFile } from '../data.js'
import { clearDeployment, TOKEN, urlOf } from '../deployment.js'
import { pythonArtifacts, withPython } from '../python.js'

const CURL = 'curl: POST, PATCH'
const OURS = 'ivcap'
const BARE = 'ivcap, no sidecar'
const PYTHON = 'Python client'

const source = (place: Place) => join(place.dir, 'source.bin')

/** Uploads everything in one PATCH. No client can do with less. */
function curlUpload(place: Place): void {
  const tus = ['-H', 'Tus-Resumable: 1.0.0']
  const size = ['-H', `X-Content-Length: ${place.size}`]
  const begun: unknown = JSON.parse(curl('-X', 'POST', ...tus, ...size, `${urlOf(place)}/1/artifacts`))
  const href = String(Object(begun)['data-href'])
  const patch = [
    '-X',
    'PATCH',
    '-H',
    'Upload-Offset: 0',
    '-H',
    'Content-Type: application/offset+octet-stream',
  ]
  // An empty Expect header stops curl from waiting for 100 Continue before it sends.
  curl(...patch, ...tus, '-H', 'Expect:', '-T', source(place), href)
}

async function ours(place: Place, sidecar: boolean): Promise<Sample> {
  const ivcap = await connect({
    url: urlOf(place),
    token: TOKEN,
    stateDir: join(place.dir, 'out', 'state'),
  })
  const ms = await timed(async () => {
    const artifact = await ivcap.uploadArtifact({
      name: 'copy.bin',
      filePath: source(place),
      forceUpload: true,
      sidecar,
    })
    if (artifact.size !== place.size || artifact.status !== 'ready') throw new Error('not what was asked for')
  })
  await ivcap.close()
  return { ms }
}

const theirs = withPython({ [PYTHON]: (place) => pythonArtifacts(place, 'upload', source(place)) })

export const platformUpload: Benchmark = {
  title: 'Upload a file to a deployment',
  size: GiB,
  deployment: true,
  measuresMemory: [OURS, BARE],
  ...theirs,
  setUp: (place) => randomFile(source(place), place.size),
  clear: clearDeployment,
  contenders: {
    [CURL]: async (place) => ({ ms: await timed(async () => curlUpload(place)) }),
    [OURS]: (place) => ours(place, true),
    [BARE]: (place) => ours(place, false),
    ...theirs.contenders,
  },
  goals: [
    { what: 'time of curl', limit: 1.35, sense: 'at most', value: (f) => f.ms(OURS) / f.ms(CURL) },
    {
      what: 'time of curl, which computes no MD5, without one',
      limit: 1.35,
      sense: 'at most',
      value: (f) => f.ms(BARE) / f.ms(CURL),
    },
    { what: 'MiB of peak memory', limit: 160, sense: 'at most', value: (f) => f.peakRssMiB(OURS) },
    {
      what: 'time of the Python client',
      limit: 1,
      sense: 'at most',
      value: (f) => f.ms(OURS) / f.ms(PYTHON),
    },
  ],
}
