import type { Backend } from '@ivcap/core/driver'
import { checkHistory } from './checker.js'
import { History } from './history.js'
import { type Job, runWorkload, type WorkloadOptions } from './workload.js'

/** Runs the workload of one writer and records each attempt and each outcome in `history`. See `killedWriter`, `writerTo`. */
export type Writer = (job: Job, history: History) => Promise<void>

/** One store, opened with faults and without. */
export interface FaultyPlace extends WorkloadOptions {
  /** The backend with simulated faults. Several writers use it concurrently. */
  readonly faulty: Backend
  /** Further writers that open the store themselves, e.g. processes that are killed. @default none */
  readonly others?: readonly Writer[]
  /** Opens the same store without faults, as a new process would. */
  healthy(): Promise<Backend>
  close?(): Promise<void>
}

export interface FaultSimulationOptions {
  /** Opens a new, empty store. The seed determines its faults. */
  open(seed: number): Promise<FaultyPlace>
  /** Round n runs with seed + n. A round can be reproduced by its own seed. */
  readonly seed: number
  readonly rounds: number
  /** Number of concurrent writers to the faulty backend. @default 3 */
  readonly writers?: number
  /** Number of concurrent rounds, each with its own store. @default 4 */
  readonly atOnce?: number
}

export interface FailedRound {
  readonly seed: number
  readonly problems: readonly string[]
}

export interface FaultSimulationReport {
  /** Number of calls that succeeded, in all rounds. */
  readonly acknowledged: number
  /** Number of calls that failed but may have taken effect. */
  readonly inDoubt: number
  readonly failed: readonly FailedRound[]
}

/**
 * Runs the rounds of a fault simulation. In each round, writers upload, read, add, update and retract at random in a store with
 * faults. Then the store is compared with their history. Nothing that was acknowledged may be lost. Nothing may be visible that
 * no writer tried. Nothing may be torn or duplicated. After updates, at most one record of an entity may be current, now and at
 * any earlier time.
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

/** Returns a writer that runs in this process. */
export const writerTo =
  (backend: Backend): Writer =>
  (job, history) =>
    runWorkload(backend, job, history)
