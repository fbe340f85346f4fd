import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { connect } from '@ivcap/client'
import { type Benchmark, type Place, type Sample, timed } from '../benchmark.js'
import { clearDeployment, TOKEN, urlOf } from '../deployment.js'
import { AT_ONCE, FILES, forEach, makeFiles, pathsOf, uploadAll } from '../small-files.js'

const BARE = 'node: fetch'
const BARE_AT_ONCE = `node: fetch, ${AT_ONCE} at once`
const OURS = 'ivcap'
const OURS_AT_ONCE = `ivcap, ${AT_ONCE} at once`

async function ours(place: Place, concurrency: number): Promise<Sample> {
  const ivcap = await connect({
    url: urlOf(place),
    token: TOKEN,
    stateDir: join(place.dir, 'out', 'state'),
  })
  const ms = await timed(() => uploadAll(ivcap, pathsOf(place), concurrency))
  await ivcap.close()
  return { ms }
}

/** Sends only the same requests, with Node's fetch, which keeps connections alive. */
async function bare(place: Place, concurrency: number): Promise<Sample> {
  return { ms: await timed(() => forEach(pathsOf(place), concurrency, (path) => uploadOne(place, path))) }
}

async function uploadOne(place: Place, path: string): Promise<void> {
  const own = { Authorization: `Bearer ${TOKEN}`, 'Tus-Resumable': '1.0.0' }
  const body = await readFile(path)
  const begun: unknown = JSON.parse(
    await ask(`${urlOf(place)}/1/artifacts`, {
      method: 'POST',
      headers: {
        ...own,
        'X-Content-Length': String(body.byteLength),
        'X-Content-Type': 'application/octet-stream',
        'X-Name': Buffer.from(basename(path)).toString('base64'),
      },
    }),
  )
  const { id, 'data-href': href } = Object(begun)
  await ask(href, {
    method: 'PATCH',
    headers: { ...own, 'Upload-Offset': '0', 'Content-Type': 'application/offset+octet-stream' },
    body,
  })
  await ask(`${urlOf(place)}/1/artifacts/${id}`, { headers: own })
}

async function ask(url: string, init: RequestInit): Promise<string> {
  const response = await fetch(url, init)
  if (!response.ok) throw new Error(`${init.method} ${url}: ${response.status}`)
  return response.text()
}

export const platformSmallFiles: Benchmark = {
  title: `Upload ${FILES} files of 64 KiB to a deployment`,
  deployment: true,
  measuresMemory: [OURS, OURS_AT_ONCE],
  setUp: (place) => makeFiles(place),
  clear: clearDeployment,
  contenders: {
    [BARE]: (place) => bare(place, 1),
    [OURS]: (place) => ours(place, 1),
    [BARE_AT_ONCE]: (place) => bare(place, AT_ONCE),
    [OURS_AT_ONCE]: (place) => ours(place, AT_ONCE),
  },
  goals: [
    {
      what: 'time of a bare client with the same requests, one file after the other',
      limit: 1.15,
      sense: 'at most',
      value: (f) => f.ms(OURS) / f.ms(BARE),
    },
    {
      what: `of what ${AT_ONCE} at once gain where the server allows it: twice the speed, or as much as with fetch`,
      limit: 1,
      sense: 'at least',
      value: (f) => f.ms(OURS) / f.ms(OURS_AT_ONCE) / Math.min(2, f.ms(BARE) / f.ms(BARE_AT_ONCE)),
    },
  ],
}
