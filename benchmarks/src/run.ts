// npm run bench -- [names] [--size=64MiB] [--up-to=1000] [--rounds=5] [--dir=/a/folder/on/a/real/disk] [--save] [--redraw]
import { execFile, execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Benchmark, Place } from './benchmark.js'
import { benchmarks } from './benchmarks.js'
import { dataOf, startDeployment } from './deployment.js'
import { startGcs } from './gcs-server.js'
import { parseOptions } from './options.js'
import { type Measured, resultOf } from './result.js'
import { startS3 } from './s3-server.js'
import { redraw, save } from './save.js'
import { show } from './table.js'

const child = fileURLToPath(new URL('child.js', import.meta.url))
const options = parseOptions(process.argv.slice(2), Object.keys(benchmarks))

let missed = false
for (const name of options.redraw ? [] : options.names) {
  const benchmark = await benchmarks[name]?.()
  if (benchmark === undefined) continue
  const size = options.size ?? benchmark.size ?? 0
  const s3 = benchmark.s3 ? await startS3() : undefined
  if (benchmark.s3 && s3 === undefined) {
    console.error(`${name}: left out, since Ceph is not installed (npm run servers:install)`)
    continue
  }
  const gcs = benchmark.gcs ? await startGcs() : undefined
  if (benchmark.gcs && gcs === undefined) {
    console.error(`${name}: left out, since fake-gcs-server is not installed (npm run servers:install)`)
    continue
  }
  const where = { size, ...(s3 && { s3: s3.env }), ...(gcs && { gcs: gcs.endpoint }) }
  const samples = await measure(name, benchmark, where).finally(async () => {
    await s3?.stop()
    await gcs?.stop()
  })
  const result = resultOf(name, benchmark, size, samples)
  show(result)
  if (options.save) await save(result)
  missed ||= result.goals.some((goal) => !goal.met)
}
if (options.redraw) await redraw()
process.exitCode = missed ? 1 : 0

/** Runs all contenders in turn, round by round, so that other load affects them equally. The first round warms up. */
async function measure(
  name: string,
  benchmark: Benchmark,
  data: Omit<Place, 'dir' | 'contenders'>,
): Promise<Measured[]> {
  const dir = await mkdtemp(join(options.dir ?? tmpdir(), 'ivcap-bench-'))
  const deployment = benchmark.deployment ? await startDeployment(dataOf({ dir })) : undefined
  const contenders = contendersOf(benchmark)
  const place: Place = { dir, ...data, contenders, ...(deployment && { url: deployment.url }) }
  try {
    for (const [contender, why] of Object.entries(benchmark.skipped ?? {}))
      console.error(`${name}: without ${contender}: ${why}`)
    await benchmark.setUp?.(place)
    const measured: Measured[] = []
    for (let round = 0; round <= options.rounds; round++) {
      // Each round starts with another contender.
      const order = contenders.map((_, i) => contenders[(i + round) % contenders.length] ?? '')
      for (const contender of order) {
        await benchmark.clear?.(place)
        const sample = await once(name, contender, place)
        if (round > 0) measured.push({ contender, ...sample })
      }
      if (process.stderr.isTTY) process.stderr.write(`\r${name}: round ${round} of ${options.rounds}`)
    }
    if (process.stderr.isTTY) process.stderr.write('\r\u001b[K')
    return measured
  } finally {
    await deployment?.stop()
    await rm(dir, { recursive: true, force: true })
  }
}

/** Returns the contenders whose `x` is within the limit. */
function contendersOf({ contenders, points = {}, upTo = Number.POSITIVE_INFINITY }: Benchmark): string[] {
  return Object.keys(contenders).filter((name) => (points[name]?.x ?? 0) <= (options.upTo ?? upTo))
}

/** Runs one contender in a new process, with an empty folder `out` and after pending disk writes were flushed. */
async function once(name: string, contender: string, place: Place): Promise<Omit<Measured, 'contender'>> {
  const out = join(place.dir, 'out')
  await rm(out, { recursive: true, force: true })
  await mkdir(out)
  execFileSync('sync')
  const { stdout } = await promisify(execFile)(process.execPath, [
    child,
    name,
    contender,
    JSON.stringify(place),
  ])
  const sample: Omit<Measured, 'contender'> = JSON.parse(stdout)
  return sample
}
