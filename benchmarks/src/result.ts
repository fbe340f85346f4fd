import { arch, cpus, platform, totalmem } from 'node:os'
import {
  type Benchmark,
  type Chart,
  type Figures,
  type Goal,
  MiB,
  type Point,
  type Sample,
} from './benchmark.js'
import { round, type Spread, spread } from './stats.js'

export interface Measured extends Sample {
  readonly contender: string
  /** Peak memory in bytes. */
  readonly maxRss: number
}

export interface ContenderResult {
  readonly ms: Spread
  readonly peakRssMiB?: number
  readonly counts?: Readonly<Record<string, Spread>>
  readonly at?: Point
}

export interface Result {
  readonly benchmark: string
  readonly title: string
  readonly date: string
  readonly machine: string
  /** Bytes. */
  readonly size?: number
  readonly rounds: number
  readonly measure?: Chart['measure']
  readonly scale?: Chart['scale']
  readonly along?: Chart['along']
  readonly contenders: Readonly<Record<string, ContenderResult>>
  readonly goals: readonly (Pick<Goal, 'what' | 'limit' | 'sense'> & {
    readonly value: number
    readonly met: boolean
  })[]
}

export function resultOf(
  name: string,
  benchmark: Benchmark,
  size: number,
  samples: readonly Measured[],
): Result {
  const names = Object.keys(benchmark.contenders).filter((name) =>
    samples.some(({ contender }) => contender === name),
  )
  const contenders = Object.fromEntries(
    names.map((contender) => {
      const own = samples.filter((sample) => sample.contender === contender)
      const at = benchmark.points?.[contender]
      return [contender, { ...summary(own, benchmark.measuresMemory.includes(contender)), ...(at && { at }) }]
    }),
  )
  const figures = figuresOf(contenders)
  // The contenders of a goal may have been omitted.
  const judged = benchmark.goals.filter(({ value }) => !Number.isNaN(value(figures)))
  const goals = judged.map(({ what, limit, sense, value }) => {
    const reached = value(figures)
    return {
      what,
      limit,
      sense,
      value: round(reached),
      met: sense === 'at most' ? reached <= limit : reached >= limit,
    }
  })
  const rounds = samples.length / names.length
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 1024 ** 3)} GiB, ${platform()} ${arch()}, Node ${process.version}`
  const date = new Date().toISOString().slice(0, 10)
  return {
    benchmark: name,
    title: benchmark.title,
    date,
    machine,
    ...(benchmark.size !== undefined && { size }),
    rounds,
    ...benchmark.chart,
    contenders,
    goals,
  }
}

function summary(samples: readonly Measured[], memory: boolean): ContenderResult {
  const counts = Object.keys(samples[0]?.counts ?? {}).map((name) => [
    name,
    spread(samples.map((sample) => sample.counts?.[name] ?? Number.NaN)),
  ])
  return {
    ms: spread(samples.map((sample) => sample.ms)),
    ...(memory && { peakRssMiB: round(Math.max(...samples.map((sample) => sample.maxRss)) / MiB) }),
    ...(counts.length > 0 && { counts: Object.fromEntries(counts) }),
  }
}

function figuresOf(contenders: Readonly<Record<string, ContenderResult>>): Figures {
  return {
    ms: (contender) => contenders[contender]?.ms.median ?? Number.NaN,
    peakRssMiB: (contender) => contenders[contender]?.peakRssMiB ?? Number.NaN,
    count: (contender, name) => contenders[contender]?.counts?.[name]?.median ?? Number.NaN,
  }
}
