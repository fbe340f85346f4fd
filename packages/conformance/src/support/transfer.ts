import type { TransferOptions } from '@ivcap/core/driver'

/** As a patient caller transfers: delays short enough for a test. */
export const transfer: TransferOptions = { retries: 5, retryDelay: 1 }

/** Sizes at which drivers that move bytes in parts go wrong. */
export function sizesAround(partSize: number): readonly number[] {
  return [0, 1, partSize - 1, partSize, partSize + 1, 2 * partSize, 3 * partSize, 3 * partSize + 1]
}

export interface Report {
  readonly accepted: number
  readonly total: number | undefined
}

/** Takes down what `onProgress` is told. */
export function progressLog(): {
  readonly reports: Report[]
  readonly onProgress: (a: number, t?: number) => void
} {
  const reports: Report[] = []
  return { reports, onProgress: (accepted, total) => void reports.push({ accepted, total }) }
}
