import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { connect } from '@ivcap/client'
import { type Benchmark, type Place, type Sample, timed } from '../benchmark.js'
import { TOKEN, urlOf } from '../deployment.js'
import { pythonArtifacts, withPython } from '../python.js'
import { AT_ONCE, forEach, makeFiles, pathsOf, uploadAll } from '../small-files.js'

const COUNT = 1_000
const SIZE = 4 * 1024

const BARE = 'node: fetch, GET of each artifact'
const BARE_AT_ONCE = `node: fetch, the same, ${AT_ONCE} at once`
const PYTHON = 'Python client'
const OURS = 'ivcap, by their stat'
const OURS_AT_ONCE = `ivcap, by their stat, ${AT_ONCE} at once`
const HASHED_AT_ONCE = `ivcap, by their sidecars, ${AT_ONCE} at once`

const paths = (place: Place) => pathsOf(place, COUNT)
/** The file that stores the artifacts' ids for the contenders. */
const note = (place: Place) => join(place.dir, 'artifacts')
const stateOf = (place: Place) => join(place.dir, 'state')
const client = (place: Place, stateDir: string | false) =>
  connect({ url: urlOf(place), token: TOKEN, stateDir })

async function ours(place: Place, atOnce: number, stateDir: string | false): Promise<Sample> {
  const ivcap = await client(place, stateDir)
  let ids: readonly string[] = []
  const ms = await timed(async () => {
    ids = await uploadAll(ivcap, paths(place), atOnce, false)
  })
  await ivcap.close()
  if (ids.join('\n') !== (await readFile(note(place), 'utf8'))) throw new Error('some were uploaded again')
  return { ms }
}

/** Sends only the requests that are needed to check that all artifacts still exist. */
async function bare(place: Place, atOnce: number): Promise<Sample> {
  const ids = (await readFile(note(place), 'utf8')).split('\n')
  const ask = async (id: string) => {
    const headers = { Authorization: `Bearer ${TOKEN}` }
    const response = await fetch(`${urlOf(place)}/1/artifacts/${id}`, { headers })
    if (!response.ok) throw new Error(`${id}: ${response.status}`)
    await response.json()
  }
  return { ms: await timed(() => forEach(ids, atOnce, ask)) }
}

const theirs = withPython({ [PYTHON]: (place) => pythonArtifacts(place, 'again', ...paths(place)) })

export const platformKnownFiles: Benchmark = {
  title: `Upload ${COUNT.toLocaleString('en')} files of 4 KiB that the deployment has already`,
  deployment: true,
  measuresMemory: [OURS, OURS_AT_ONCE, HASHED_AT_ONCE],
  ...theirs,
  setUp: async (place) => {
    await makeFiles(place, COUNT, SIZE)
    const ids = await uploadAll(await client(place, stateOf(place)), paths(place), AT_ONCE)
    await writeFile(note(place), ids.join('\n'))
  },
  contenders: {
    [BARE]: (place) => bare(place, 1),
    [OURS]: (place) => ours(place, 1, stateOf(place)),
    ...theirs.contenders,
    [BARE_AT_ONCE]: (place) => bare(place, AT_ONCE),
    [OURS_AT_ONCE]: (place) => ours(place, AT_ONCE, stateOf(place)),
    [HASHED_AT_ONCE]: (place) => ours(place, AT_ONCE, false),
  },
  goals: [
    {
      what: 'time of asking for each artifact, one after the other',
      limit: 1.25,
      sense: 'at most',
      value: (f) => f.ms(OURS) / f.ms(BARE),
    },
    {
      what: `time of asking for each artifact, ${AT_ONCE} at once`,
      limit: 1.25,
      sense: 'at most',
      value: (f) => f.ms(OURS_AT_ONCE) / f.ms(BARE_AT_ONCE),
    },
    {
      what: 'time of the Python client, one after the other',
      limit: 1,
      sense: 'at most',
      value: (f) => f.ms(OURS) / f.ms(PYTHON),
    },
  ],
}
