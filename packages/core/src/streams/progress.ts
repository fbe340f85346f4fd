import type { OpOptions, TransferOptions } from '../ports/index.js'

export interface Progress {
  /** `accepted`: bytes in all that the other side has taken so far. */
  report(accepted: number): void
  /** The whole is safely there: `total` bytes. */
  finish(total: number): void
}

/**
 * Keeps the promise of `onProgress` for a driver: never back, the total once and only at the end, silent after an abort.
 * What would be 100 % before `finish` is held back.
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
      // an unknown total may have been reported in full already: say it once more, now as the total
      if (total === undefined && last === all) last = all - 1
      tell(all, all)
    },
  }
}
