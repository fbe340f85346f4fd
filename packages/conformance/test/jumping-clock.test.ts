import { expect, it } from 'vitest'
import { jumpingClock, randomOf } from '../src/index.js'

const MINUTES = 60 * 1_000_000
const DAYS = 24 * 60 * MINUTES

it('a clock jumps by minutes often, by days and by more than a year now and then, in both directions', () => {
  const now = Date.UTC(2026, 0, 1)
  const clock = jumpingClock(randomOf(1), () => now)
  const wrong = Array.from({ length: 4_000 }, () => clock() - now * 1000)
  const jumps = wrong.filter((by, i) => by !== wrong[i - 1])
  const share = (predicate: (by: number) => boolean) => jumps.filter(predicate).length / jumps.length
  expect(jumps.length).toBeGreaterThan(300)
  expect(share((by) => Math.abs(by) <= 10 * MINUTES)).toBeGreaterThan(0.7)
  for (const sign of [1, -1]) {
    expect(share((by) => sign * by > DAYS)).toBeGreaterThan(0.02)
    expect(share((by) => sign * by > 366 * DAYS)).toBeGreaterThan(0)
  }
  expect(Math.max(...jumps.map(Math.abs))).toBeLessThanOrEqual(400 * DAYS)
})
