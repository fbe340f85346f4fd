import { IvcapError } from '../model/errors.js'
import type { ByteRange } from '../ports/index.js'

/**
 * Resolves a range over content of `size` bytes. An `end` beyond the content is limited to its size.
 *
 * @throws IvcapError `invalid-argument` if the range starts at or after the end, ends before it starts, or has fractions
 */
export function resolveRange(range: ByteRange | undefined, size: number): Required<ByteRange> {
  if (range === undefined) return { start: 0, end: size }
  checkRange(range)
  if (range.start >= size) {
    throw invalid(`range.start is ${range.start}, but the content has ${size} bytes: start below that`)
  }
  return { start: range.start, end: Math.min(range.end ?? size, size) }
}

/** Checks what does not depend on the size of the content. @throws IvcapError `invalid-argument` */
export function checkRange({ start, end }: ByteRange): void {
  if (!Number.isSafeInteger(start) || start < 0)
    throw invalid(`range.start must be a whole number from 0, not ${start}`)
  if (end === undefined) return
  if (!Number.isSafeInteger(end) || end <= start) {
    throw invalid(
      `range.end must be a whole number above range.start (${start}), not ${end}; it is exclusive`,
    )
  }
}

function invalid(message: string): IvcapError {
  return new IvcapError('invalid-argument', message, { argument: 'range' })
}
