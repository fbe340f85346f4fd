import { isUrn, type Urn } from '@ivcap/core/driver'
import * as v from 'valibot'
import type { Begun } from './types.js'

/** The form in which an upload is kept. */
export const BegunJson = v.object({
  id: v.custom<Urn>(isUrn, 'not a URN'),
  dataHref: v.string(),
})

/** An entry that holds what `schema` says, and is about the file as it is; else nothing. */
export function parseEntry<S extends v.GenericSchema>(
  schema: S,
  text: string | null,
): v.InferOutput<S> | undefined {
  try {
    const entry = v.safeParse(schema, JSON.parse(text ?? ''))
    return entry.success ? entry.output : undefined
  } catch {
    return undefined
  }
}

/** Without whatever else an entry has. */
export const begunOf = ({ id, dataHref }: Begun): Begun => ({ id, dataHref })
