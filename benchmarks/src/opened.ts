import { local } from '@ivcap/client'
import type { Ivcap } from '@ivcap/core'
import { type Sample, timed } from './benchmark.js'
import { spread } from './stats.js'

/** Calls after the first one. */
const AGAIN = 20
/** The median of the calls after the first one. */
export const OPEN = 'ms again, when open'

/** Opens a local folder and calls `query`, as a new process does; then calls it again while the folder is open. */
export async function opened(baseDir: string, query: (ivcap: Ivcap) => Promise<void>): Promise<Sample> {
  const start = performance.now()
  const ivcap = await local({ baseDir })
  await query(ivcap)
  const ms = performance.now() - start
  const again: number[] = []
  for (let i = 0; i < AGAIN; i++) again.push(await timed(() => query(ivcap)))
  return { ms, counts: { [OPEN]: spread(again).median } }
}
