/** Requests in flight at once, for one operation. */
const WIDTH = 16

/**
 * `run` over all items, 16 at a time, the results in their order. After a failure nothing new is started; it rejects with the
 * first failure once what was started has come to its end.
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
