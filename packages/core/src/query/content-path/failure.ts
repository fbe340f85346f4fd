/**
 * Thrown where evaluation fails in a way that PostgreSQL suppresses: the condition around it is unknown, or the path finds
 * nothing. One value, as it is thrown often and nobody looks at where it came from.
 */
export const FAILURE = { failure: true } as const

export function fail(): never {
  throw FAILURE
}
