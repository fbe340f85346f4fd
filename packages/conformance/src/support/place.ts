import { afterEach, beforeEach } from 'vitest'
import type { Harness } from '../harness.js'

/** The place of the test that runs: each test has a fresh one. */
export interface Place<T, C> {
  /** @throws outside of a test */
  readonly at: T
  reopen(): Promise<T>
  readonly capabilities: C
}

/** To be called inside `describe`: opens a place before each of its tests, and closes it after. */
export function placeOf<T, C>(harness: Harness<T, C>): Place<T, C> {
  let opened: { readonly place: T } | undefined
  beforeEach(async () => {
    opened = { place: await harness.open() }
  })
  afterEach(async () => {
    opened = undefined
    await harness.close()
  })
  return {
    get at() {
      if (opened === undefined) throw new Error('the place is open only while a test runs')
      return opened.place
    },
    reopen: () => harness.reopen(),
    capabilities: harness.capabilities,
  }
}
