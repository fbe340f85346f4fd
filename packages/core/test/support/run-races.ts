import { type Protocol, race, type Weather } from './race.js'
import { checkRace } from './race-checks.js'

/** Every so many races are checked thoroughly: it takes much longer than the race. */
const THOROUGH = 20

/** What went wrong in which of the races, at most ten of them. */
export async function runRaces(
  races: number,
  weather: Weather,
  protocol: Protocol,
): Promise<readonly string[]> {
  const wrong: string[] = []
  for (let seed = 0; seed < races && wrong.length < 10; seed++) {
    try {
      await checkRace(await race(seed, weather, protocol), seed % THOROUGH === 0)
    } catch (error) {
      wrong.push(`seed ${seed}: ${error instanceof Error ? error.stack : String(error)}`)
    }
  }
  return wrong
}
