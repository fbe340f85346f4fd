import { afterEach, beforeEach } from 'vitest'
import type { Harness } from '../harness.js'

/** The store of the test that is running. Each test has a new one. */
export interface Place<T, C> {
  /** @throws outside of a test */
  readonly at: T
  reopen(): Promise<T>
  readonly capabilities: C
}

/** Opens a store before each test and closes it afterwards. Call it inside `describe`. */
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
