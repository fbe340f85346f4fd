import { expect, it } from 'vitest'
import { naiveProtocol } from './support/naive-protocol.js'
import { engineProtocol } from './support/race.js'
import { runRaces } from './support/run-races.js'

const RACES = 10_000

it(`loses nothing and doubles nothing in ${RACES} races, however they interleave`, async () => {
  expect(await runRaces(RACES, 'calm', engineProtocol)).toEqual([])
}, 900_000)

it('the simulator catches a protocol that writes the new record and then retracts the old one', async () => {
  const wrong = await runRaces(100, 'calm', naiveProtocol)
  expect(wrong.length).toBe(10)
  expect(wrong.join()).toMatch(/is current beside the next|updates of .* were listed as current/)
})
