import type { AspectInput } from '@ivcap/core'

/** Aspects in the folder; five of each entity. */
export const ASPECTS = 100_000
export const ENTITY = `urn:example:sample:${ASPECTS / 10}`
export const SCHEMA = 'urn:example:schema:kind.3'
/** What all schemas begin with. */
export const PREFIX = 'urn:example:schema:%'

export function* aspectInputs(): Generator<AspectInput> {
  for (let i = 0; i < ASPECTS; i++) {
    const content = { $schema: `urn:example:schema:kind.${i % 10}`, i }
    yield { entity: `urn:example:sample:${Math.floor(i / 5)}`, content }
  }
}
