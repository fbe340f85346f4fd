import type { Backend } from '@ivcap/core/driver'
import { judge } from './judge.js'
import { Told } from './told.js'
import { type Job, type WorkOptions, work } from './work.js'

/** Does the work of one writer, and takes down in `told` what it was told: `killedWriter`, `writerTo`. */
export type Writer = (job: Job, told: Told) => Promise<void>

/** One place, seen twice. */
export interface FaultyPlace extends WorkOptions {
  /** The backend behind which things go wrong: several writers work with it at the same time. */
  readonly faulty: Backend
  /** Writers with views of the place of their own, beside those: processes that are killed, say. Default: none. */
  readonly others?: readonly Writer[]
  /** The same place as a new process sees it when nothing goes wrong any more. */
  healthy(): Promise<Backend>
  close?(): Promise<void>
}

export interface LaboratoryOptions {
  /** A fresh, empty place, whose faults the seed decides. */
  open(seed: number): Promise<FaultyPlace>
  /** Round n runs with seed + n: a round is reproduced by its own seed. */
  readonly seed: number
  readonly rounds: number
  /** How many write to the faulty backend at the same time. Default 3. */
  readonly writers?: number
  /** Rounds at the same time, each in a place of its own. Default 4. */
  readonly atOnce?: number
}

export interface FailedRound {
  readonly seed: number
  readonly problems: readonly string[]
}

export interface LaboratoryReport {
  /** Calls that succeeded, in all rounds. */
  readonly acknowledged: number
  /** Calls that failed, whose work may have been done. */
  readonly inDoubt: number
  readonly failed: readonly FailedRound[]
}

/**
 * Writers that upload, read, add, update and retract at random over a place with faults, round by round. What they were told
 * is then compared with what is there: nothing acknowledged is lost, nothing is visible that nobody tried, nothing is torn
 * or there twice, and of each entity at most one record is current, or was at any time, after updates.
 */
export async function runFaults(o: LaboratoryOptions): Promise<LaboratoryReport> {
  const { seed, rounds, atOnce = 4 } = o
  let acknowledged = 0
  let inDoubt = 0
  const failed: FailedRound[] = []
  let next = seed
  const lane = async () => {
    while (next < seed + rounds) {
      const own = next++
      const { told, problems } = await runRound(own, o)
      if (problems.length > 0) failed.push({ seed: own, problems })
      acknowledged += told.acknowledged
      inDoubt += told.inDoubt
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, rounds) }, lane))
  return { acknowledged, inDoubt, failed: failed.sort((a, b) => a.seed - b.seed) }
}

async function runRound(seed: number, { open, writers = 3 }: LaboratoryOptions) {
  const place = await open(seed)
  try {
    const told = new Told()
    const own = writerTo(place.faulty)
    const all = [...Array.from({ length: writers }, () => own), ...(place.others ?? [])]
    await Promise.all(all.map((write, writer) => write({ seed, writer, partSize: place.partSize }, told)))
    const problems = [...told.problems, ...(await judge(await place.healthy(), told, place))]
    return { told, problems }
  } finally {
    await place.close?.()
  }
}

/** One that works in this process. */
export const writerTo =
  (backend: Backend): Writer =>
  (job, told) =>
    work(backend, job, told)
