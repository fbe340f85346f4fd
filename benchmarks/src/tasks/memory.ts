import { join } from 'node:path'
import { connect } from '@ivcap/client'
import { type Benchmark, MiB, type Place, type Sample, timed } from '../benchmark.js'
import { clearDeployment, TOKEN, urlOf } from '../deployment.js'

const SIZES = [1, 16, 256, 4096]
const PIECE = 16 * 1024

const nameOf = (mib: number) => `ivcap, ${mib} MiB`

/** A stream of unknown size in small pieces: what is hardest to send without holding it. */
async function* pieces(bytes: number): AsyncGenerator<Uint8Array> {
  const piece = new Uint8Array(PIECE).fill(7)
  for (let sent = 0; sent < bytes; sent += PIECE) yield piece
}

async function upAndDown(place: Place, bytes: number): Promise<Sample> {
  const ivcap = await connect({
    url: urlOf(place),
    token: TOKEN,
    stateDir: join(place.dir, 'out', 'state'),
  })
  const ms = await timed(async () => {
    const artifact = await ivcap.uploadArtifact({
      content: pieces(bytes),
      contentType: 'application/x-sevens',
    })
    let count = 0
    for await (const chunk of artifact.asStream()) count += chunk.byteLength
    if (count !== bytes) throw new Error(`${count} bytes came back, not ${bytes}`)
  })
  await ivcap.close()
  return { ms }
}

/** Peak memory must not follow the size. */
export const memory: Benchmark = {
  title:
    'Upload a stream of unknown size to a deployment, in pieces of 16 KiB, and read it back: memory by size',
  chart: { measure: 'memory' },
  deployment: true,
  measuresMemory: SIZES.map(nameOf),
  clear: clearDeployment,
  contenders: Object.fromEntries(
    SIZES.map((mib) => [nameOf(mib), (place: Place) => upAndDown(place, mib * MiB)]),
  ),
  goals: [
    {
      what: 'times the memory of 256 MiB for 4 GiB',
      limit: 1.2,
      sense: 'at most',
      value: (f) => f.peakRssMiB(nameOf(4096)) / f.peakRssMiB(nameOf(256)),
    },
    {
      what: 'MiB of peak memory for 4 GiB',
      limit: 160,
      sense: 'at most',
      value: (f) => f.peakRssMiB(nameOf(4096)),
    },
  ],
}
