import type { Backend } from '@ivcap/core/driver'
import { checkHistory } from './checker.js'
import { History } from './history.js'
import { type Job, runWorkload, type WorkloadOptions } from './workload.js'

/** Runs the workload of one writer and records in `history` what it tried and what came back: `killedWriter`, `writerTo`. */
export type Writer = (job: Job, history: History) => Promise<void>

/** One place, seen twice. */
export interface FaultyPlace extends WorkloadOptions {
  /** The backend behind which things go wrong: several writers work with it at the same time. */
  readonly faulty: Backend
  /** Writers with views of the place of their own, beside those: processes that are killed, say. Default: none. */
  readonly others?: readonly Writer[]
  /** The same place as a new process sees it when nothing goes wrong any more. */
  healthy(): Promise<Backend>
  close?(): Promise<void>
}

export interface FaultSimulationOptions {
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

export interface FaultSimulationReport {
  /** Calls that succeeded, in all rounds. */
  readonly acknowledged: number
  /** Calls that failed, whose work may have been done. */
  readonly inDoubt: number
  readonly failed: readonly FailedRound[]
}

/**
 * Writers that upload, read, add, update and retract at random over a place with faults, round by round. Their history
 * is then compared with what is there: nothing acknowledged is lost, nothing is visible that no writer tried, nothing is torn
 * or there twice, and of each entity at most one record is current, or was at any time, after updates.
 */
export async function runFaults(o: FaultSimulationOptions): Promise<FaultSimulationReport> {
  const { seed, rounds, atOnce = 4 } = o
  let acknowledged = 0
  let inDoubt = 0
  const failed: FailedRound[] = []
  let next = seed
  const lane = async () => {
    while (next < seed + rounds) {
      const own = next++
      const { history, problems } = await runRound(own, o)
      if (problems.length > 0) failed.push({ seed: own, problems })
      acknowledged += history.acknowledged
      inDoubt += history.inDoubt
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, rounds) }, lane))
  return { acknowledged, inDoubt, failed: failed.sort((a, b) => a.seed - b.seed) }
}

async function runRound(seed: number, { open, writers = 3 }: FaultSimulationOptions) {
  const place = await open(seed)
  try {
    const history = new History()
    const own = writerTo(place.faulty)
    const all = [...Array.from({ length: writers }, () => own), ...(place.others ?? [])]
    await Promise.all(all.map((write, writer) => write({ seed, writer, partSize: place.partSize }, history)))
    const problems = [...history.problems, ...(await checkHistory(await place.healthy(), history, place))]
    return { history, problems }
  } finally {
    await place.close?.()
  }
}

/** One that works in this process. */
export const writerTo =
  (backend: Backend): Writer =>
  (job, history) =>
    runWorkload(backend, job, history)
