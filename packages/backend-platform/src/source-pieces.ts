import { type ByteSource, IvcapError } from '@ivcap/core/driver'
import { UNDER_WAY } from './transport/types.js'

/**
 * Bytes from `start`, before `end`, of a source that can be opened anywhere. Before the last of the content are given, it is
 * asked whether it is still the same: what has changed must not become an artifact. A piece stays as it is until `UNDER_WAY`
 * more have been asked for.
 */
export async function* piecesOf(
  source: ByteSource,
  start: number,
  end: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const reader = source.open({ offset: start, end, keep: UNDER_WAY, ...(signal && { signal }) }).getReader()
  let position = start
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      position += value.byteLength
      if (position > end) throw changed()
      if (position === source.size && (await source.unchanged?.()) === false) throw changed()
      yield value
    }
    if (position < end) throw changed()
  } finally {
    await reader.cancel().catch(() => {})
  }
}

export function changed(): IvcapError {
  return new IvcapError(
    'integrity',
    'the content changed while it was read: upload it again when nobody writes to it',
  )
}
