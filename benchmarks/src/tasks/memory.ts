import { join } from 'node:path'
import { connect, local } from '@ivcap/client'
import type { Ivcap } from '@ivcap/core'
import {
  type Benchmark,
  type Figures,
  MiB,
  type Place,
  type Point,
  type Sample,
  timed,
} from '../benchmark.js'
import { clearDeployment, TOKEN, urlOf } from '../deployment.js'

const SIZES = [1, 16, 256, 4096]
const [MIDDLE, LARGEST] = [256, 4096]
const PIECE = 16 * 1024

const opened: Readonly<Record<string, (place: Place) => Promise<Ivcap>>> = {
  'a deployment': (place) =>
    connect({ url: urlOf(place), token: TOKEN, stateDir: join(place.dir, 'out', 'state') }),
  'a local folder': (place) => local({ baseDir: join(place.dir, 'out', 'data') }),
}

const nameOf = ({ series, x }: Point) => `ivcap, ${series}, ${x} MiB`
const points: readonly Point[] = Object.keys(opened).flatMap((series) => SIZES.map((x) => ({ series, x })))

/** Yields a stream of unknown size in small pieces, which is the hardest to send without buffering it. */
async function* pieces(bytes: number): AsyncGenerator<Uint8Array> {
  const piece = new Uint8Array(PIECE).fill(7)
  for (let sent = 0; sent < bytes; sent += PIECE) yield piece
}

async function upAndDown(place: Place, { series, x }: Point): Promise<Sample> {
  const ivcap = await opened[series]?.(place)
  if (ivcap === undefined) throw new Error(`there is no ${series}`)
  const bytes = x * MiB
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

/** Peak memory must not grow with the size. */
export const memory: Benchmark = {
  title: 'Upload a stream of unknown size, in pieces of 16 KiB, and read it back: memory by size',
  chart: { measure: 'memory', along: { x: 'MiB' } },
  deployment: true,
  points: Object.fromEntries(points.map((point) => [nameOf(point), point])),
  measuresMemory: points.map(nameOf),
  clear: clearDeployment,
  contenders: Object.fromEntries(
    points.map((point) => [nameOf(point), (place: Place) => upAndDown(place, point)]),
  ),
  goals: Object.keys(opened).flatMap((series) => [
    {
      what: `times the memory of 256 MiB for 4 GiB, ${series}`,
      limit: 1.2,
      sense: 'at most' as const,
      value: (f: Figures) =>
        f.peakRssMiB(nameOf({ series, x: LARGEST })) / f.peakRssMiB(nameOf({ series, x: MIDDLE })),
    },
    {
      what: `MiB of peak memory for 4 GiB, ${series}`,
      limit: 160,
      sense: 'at most' as const,
      value: (f: Figures) => f.peakRssMiB(nameOf({ series, x: LARGEST })),
    },
  ]),
}
