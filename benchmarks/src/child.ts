// Runs one contender once: node child.js <benchmark> <contender> <place as JSON>. Prints its sample as JSON.

import type { Place } from './benchmark.js'
import { benchmarks } from './benchmarks.js'

const [name = '', contender = '', place = ''] = process.argv.slice(2)
const where: Place = JSON.parse(place)
const benchmark = await benchmarks[name]?.()
const run = benchmark?.contenders[contender]
if (run === undefined) throw new Error(`there is no contender ${contender} in ${name}`)
const sample = await run(where)
// maxRSS is the peak since the process began, in KiB on all systems.
console.log(JSON.stringify({ ...sample, maxRss: process.resourceUsage().maxRSS * 1024 }))
