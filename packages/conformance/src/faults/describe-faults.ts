import { describe, expect, it } from 'vitest'
import { type FaultyPlace, runFaults } from './fault-simulation.js'

/**
 * Registers the test of a fault simulation. By default it runs `rounds` rounds from seed 1. The environment variables
 * `IVCAP_FAULTS_SEED` and `IVCAP_FAULTS_ROUNDS` override this. A failure tells how to reproduce it.
 */
export function describeFaults(
  name: string,
  { open, rounds }: { open(seed: number): Promise<FaultyPlace>; readonly rounds: number },
): void {
  const seed = Number(process.env['IVCAP_FAULTS_SEED'] ?? 1)
  const count = Number(process.env['IVCAP_FAULTS_ROUNDS'] ?? rounds)
  describe(`${name} with faults`, () => {
    // known failure: one-drop, committed-twice, short-without-length, local-kill-upload, local-kill-aspect
    it(`${count} rounds from seed ${seed}: nothing is lost, torn, or there twice`, {
      timeout: 60_000 + count * 10_000,
    }, async () => {
      const { failed, acknowledged, inDoubt } = await runFaults({ open, seed, rounds: count })
      const said = failed.map(
        (round) => `IVCAP_FAULTS_SEED=${round.seed} IVCAP_FAULTS_ROUNDS=1: ${round.problems.join('; ')}`,
      )
      expect(said).toEqual([])
      expect(acknowledged).toBeGreaterThan(count)
      // Without a failed call, the simulation proves nothing.
      if (count > 2) expect(inDoubt).toBeGreaterThan(0)
    })
  })
}
