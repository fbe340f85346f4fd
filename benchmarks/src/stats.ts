export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (i: number) => sorted[i] ?? Number.NaN
  const middle = sorted.length >> 1
  const median = sorted.length % 2 === 1 ? at(middle) : (at(middle - 1) + at(middle)) / 2
  return { median: round(median), min: round(at(0)), max: round(at(sorted.length - 1)) }
}

/** Rounds to four significant digits. More digits would suggest a false precision. */
export const round = (value: number): number => Number(value.toPrecision(4))
