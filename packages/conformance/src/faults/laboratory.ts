import type { Backend } from '@ivcap/core/driver'
import { judge } from './judge.js'
import { Told, work } from './work.js'

/** One place, seen twice. */
export interface FaultyPlace {
  /** The backend behind which things go wrong. */
  readonly faulty: Backend
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
  /** How many write at the same time. Default 3. */
  readonly writers?: number
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
 * or there twice, and of each entity at most one record is current after updates.
 */
export async function runFaults({
  open,
  seed,
  rounds,
  writers = 3,
}: LaboratoryOptions): Promise<LaboratoryReport> {
  let acknowledged = 0
  let inDoubt = 0
  const failed: FailedRound[] = []
  for (let own = seed; own < seed + rounds; own++) {
    const place = await open(own)
    try {
      const told = new Told()
      await Promise.all(Array.from({ length: writers }, (_, w) => work(place.faulty, own, w, told)))
      const problems = [...told.problems, ...(await judge(await place.healthy(), told))]
      if (problems.length > 0) failed.push({ seed: own, problems })
      acknowledged += told.acknowledged
      inDoubt += told.inDoubt
    } finally {
      await place.close?.()
    }
  }
  return { acknowledged, inDoubt, failed }
}
