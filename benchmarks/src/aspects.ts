import type { AspectInput, Ivcap } from '@ivcap/core'

export const SCHEMA = 'urn:example:schema:kind.3'
/** A pattern that matches all schemas. */
export const PREFIX = 'urn:example:schema:%'
/** Aspects per call. A call holds its results in memory. */
const BATCH = 8192

/** Yields five aspects of each entity, with ten schemas in turn. */
export function* aspectInputs(from: number, to: number): Generator<AspectInput> {
  for (let i = from; i < to; i++) {
    const content = { $schema: `urn:example:schema:kind.${i % 10}`, i }
    yield { entity: `urn:example:sample:${Math.floor(i / 5)}`, content }
  }
}

/** Returns an entity in the middle of `count` aspects. */
export const entityAmong = (count: number): string => `urn:example:sample:${count / 10}`

/** Adds `count` aspects to a store, in the order of their numbers. */
export async function addAspectsTo(ivcap: Ivcap, count: number): Promise<void> {
  for (let from = 0; from < count; from += BATCH) {
    await ivcap.addAspects(aspectInputs(from, Math.min(from + BATCH, count)))
  }
}
