import { expect, it } from 'vitest'
import { engineProtocol } from './support/race.js'
import { runRaces } from './support/run-races.js'

const RACES = 10_000

it(`loses nothing and doubles nothing in ${RACES} races with crashes, lost requests and lost answers`, async () => {
  expect(await runRaces(RACES, 'rough', engineProtocol)).toEqual([])
}, 900_000)
