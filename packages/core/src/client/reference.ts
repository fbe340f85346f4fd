/** What an id may be given as: the id itself, or a handle or record that has it. */
export type Reference = string | { readonly id: string }

/** The id of a handle or record; anything else as it is, to be checked by the parser of such ids. */
export function idOf(reference: unknown): unknown {
  if (typeof reference !== 'object' || reference === null) return reference
  const id: unknown = Reflect.get(reference, 'id')
  return typeof id === 'string' ? id : reference
}
