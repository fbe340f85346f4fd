/** Maximum number of concurrent requests of one operation. */
const WIDTH = 16

/**
 * Calls `run` for all items, at most 16 at a time, and returns the results in the order of the items. After a failure it starts
 * no further call. It rejects with the first failure when all started calls have ended.
 */
export async function inParallel<T, R>(
  items: readonly T[],
  run: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const results = new Map<number, R>()
  const failures: unknown[] = []
  const queue = items.entries()
  const worker = async () => {
    for (const [i, item] of queue) {
      if (failures.length > 0) return
      try {
        results.set(i, await run(item))
      } catch (error) {
        failures.push(error)
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(WIDTH, items.length) }, worker))
  if (failures.length > 0) throw failures[0]
  return [...results].sort(([a], [b]) => a - b).map(([, result]) => result)
}
