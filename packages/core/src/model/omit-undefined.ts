/** The type without `undefined` in its optional members, as exactOptionalPropertyTypes requires. */
type Present<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>
}

/** Returns a copy of `fields` without the members that are undefined. For objects whose keys this project chose. */
export function omitUndefined<T extends object>(fields: T): Present<T> {
  // records are built with it, so it is a loop and not a chain of arrays
  const present: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(fields)) if (value !== undefined) present[key] = value
  return present as Present<T>
}
