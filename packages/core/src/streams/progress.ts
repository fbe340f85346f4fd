import type { OpOptions, TransferOptions } from '../ports/index.js'

export interface Progress {
  /** @param accepted total number of bytes that the other side has accepted so far */
  report(accepted: number): void
  /** Must be called after all `total` bytes are stored. */
  finish(total: number): void
}

/**
 * Implements the contract of `onProgress` for a driver: the number never decreases, the total is reported once and only at the end,
 * and nothing is reported after an abort. A report of 100 % before `finish` is suppressed.
 */
export function progressOf(o: Pick<TransferOptions, 'onProgress'> & OpOptions, total?: number): Progress {
  const { onProgress, signal } = o
  let last = -1
  const tell = (accepted: number, of?: number) => {
    if (onProgress === undefined || signal?.aborted || accepted <= last) return
    last = accepted
    onProgress(accepted, of)
  }
  return {
    report: (accepted) => {
      if (total === undefined || accepted < total) tell(accepted, total)
    },
    finish: (all) => {
      // an unknown total may have been reported as bytes already: report it once more, as the total
      if (total === undefined && last === all) last = all - 1
      tell(all, all)
    },
  }
}
