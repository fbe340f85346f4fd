import type { TransferOptions } from '@ivcap/core/driver'

/** Many retries, with a delay that is short enough for a test. */
export const transfer: TransferOptions = { retries: 5, retryDelay: 1 }

/** Returns sizes that reveal errors of drivers that transfer bytes in parts. */
export function sizesAround(partSize: number): readonly number[] {
  return [0, 1, partSize - 1, partSize, partSize + 1, 2 * partSize, 3 * partSize, 3 * partSize + 1]
}

export interface Report {
  readonly accepted: number
  readonly total: number | undefined
}

/** Records the calls of `onProgress`. */
export function progressLog(): {
  readonly reports: Report[]
  readonly onProgress: (a: number, t?: number) => void
} {
  const reports: Report[] = []
  return { reports, onProgress: (accepted, total) => void reports.push({ accepted, total }) }
}
