import { type FileHandle, open } from 'node:fs/promises'
import { devNull } from 'node:os'
import { isIvcapError } from '../../model/errors.js'
import { emit } from '../../model/events.js'
import type { OpOptions } from '../../ports/index.js'
import { abortable } from '../../retry/delayed-abort.js'
import { exhausted, sleep } from '../../retry/retry.js'
import { systemCode } from './fs-error.js'

/** Milliseconds. If no waiting operation got its files for so long, all of them fail. */
const PATIENCE = 10_000
/** Files that must be free before an operation is repeated: a copy holds two, and may open a third. */
const FREE_FILES = 4
/** Maximum pause between two checks, in ms. */
const LONGEST_PAUSE = 50

/** When a repeated operation last succeeded. */
let lastSuccess = 0
/** Waiting operations are repeated one by one, in order. If all ran at once, they would fail again. */
let line: Promise<void> = Promise.resolve()

/** See `Runtime.withOpenFiles`. */
export async function withOpenFiles<T>(work: () => Promise<T>, o: OpOptions): Promise<T> {
  const begun = performance.now()
  for (let attempt = 1; ; attempt += 1) {
    try {
      const result = await work()
      if (attempt > 1) lastSuccess = performance.now()
      return result
    } catch (error) {
      if (o.signal?.aborted || !isTooManyFiles(error)) throw error
      if (isIvcapError(error)) {
        if (error.attempts !== undefined) throw error
        o.failures?.add(error)
        const message = `${error.message}; waiting until some are closed`
        if (attempt === 1) emit({ kind: 'retry', message, attempt, wait: 0, error }, o.onEvent)
      }
      if (await filesAreFree(begun, attempt, o.signal)) continue
      throw isIvcapError(error) ? exhausted(error, error, attempt, performance.now() - begun) : error
    }
  }
}

/** Waits for its turn, then for free files. Returns false if it gives up. */
function filesAreFree(begun: number, attempt: number, signal: AbortSignal | undefined): Promise<boolean> {
  const turn = line.then(async () => {
    // an operation that failed again although files were free needs more of them, or others took them
    for (let pause = 2 ** (attempt - 1); ; pause *= 2) {
      signal?.throwIfAborted()
      if (performance.now() - Math.max(begun, lastSuccess) > PATIENCE) return false
      if (attempt > 1 || pause > 1) await sleep(Math.min(pause, LONGEST_PAUSE), signal)
      if (await canOpen(FREE_FILES)) return true
    }
  })
  line = turn.then(
    () => {},
    () => {},
  )
  return abortable(turn, signal)
}

async function canOpen(count: number): Promise<boolean> {
  const opening = Array.from({ length: count }, () => open(devNull))
  const opened = await Promise.allSettled(opening)
  const handles = opened.flatMap((o): FileHandle[] => (o.status === 'fulfilled' ? [o.value] : []))
  await Promise.all(handles.map((handle) => handle.close()))
  return handles.length === count
}

/** EMFILE is the limit of this process, ENFILE that of the machine. Also checks the causes of the error. */
function isTooManyFiles(error: unknown): boolean {
  let cause = error
  // errors are wrapped only a few times; the limit also ends a cycle of causes
  for (let depth = 0; depth < 8 && typeof cause === 'object' && cause !== null; depth += 1) {
    const code = systemCode(cause)
    if (code === 'EMFILE' || code === 'ENFILE') return true
    cause = 'cause' in cause ? cause.cause : undefined
  }
  return false
}
