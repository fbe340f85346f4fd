import type { AspectInput, Ivcap } from '@ivcap/core'

export const SCHEMA = 'urn:example:schema:kind.3'
/** What all schemas begin with. */
export const PREFIX = 'urn:example:schema:%'
/** In one call: it holds what it has made. */
const BATCH = 8192

/** Five of each entity, of ten schemas in turn. */
export function* aspectInputs(from: number, to: number): Generator<AspectInput> {
  for (let i = from; i < to; i++) {
    const content = { $schema: `urn:example:schema:kind.${i % 10}`, i }
    yield { entity: `urn:example:sample:${Math.floor(i / 5)}`, content }
  }
}

/** One in the middle of so many aspects. */
export const entityAmong = (count: number): string => `urn:example:sample:${count / 10}`

/** Fills a store, in the order of their numbers. */
export async function addAspectsTo(ivcap: Ivcap, count: number): Promise<void> {
  for (let from = 0; from < count; from += BATCH) {
    await ivcap.addAspects(aspectInputs(from, Math.min(from + BATCH, count)))
  }
}
