import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { IvcapError } from '../src/model/errors.js'
import { retry } from '../src/transfer/retry.js'

// retry() takes its timers from here, not from the global object
vi.mock('../src/model/timers.js', async (original) => ({
  ...(await original<typeof import('../src/model/timers.js')>()),
  startTimer: (run: () => void, ms: number) => setTimeout(run, ms),
  stopTimer: (timer: ReturnType<typeof setTimeout> | undefined) => clearTimeout(timer),
}))

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const away = (retryAfter?: number) =>
  new IvcapError('unavailable', 'nobody there', retryAfter === undefined ? {} : { retryAfter })

/** Runs it with a clock that goes ahead whenever somebody waits; tells the time of each attempt. */
async function attempts(failures: readonly unknown[], o: { retries: number; retryDelay: number }) {
  const at: number[] = []
  const start = Date.now()
  const run = retry(async (attempt) => {
    expect(attempt).toBe(at.length)
    at.push(Date.now() - start)
    if (attempt < failures.length) throw failures[attempt]
    return 'done'
  }, o)
  run.catch(() => {})
  await vi.runAllTimersAsync()
  return { at, run }
}

describe('retry', () => {
  it('makes as many attempts as needed, and no more than allowed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(8), fc.nat(8), async (failures, retries) => {
        const errors = Array.from({ length: failures }, () => away())
        const { at, run } = await attempts(errors, { retries, retryDelay: 100 })
        expect(at).toHaveLength(Math.min(failures, retries) + 1)
        if (failures <= retries) expect(await run).toBe('done')
        else await expect(run).rejects.toMatchObject({ code: 'unavailable', attempts: retries + 1 })
      }),
    )
  })

  it('waits longer each time, with jitter, but never for ever', async () => {
    const { at } = await attempts(
      Array.from({ length: 20 }, () => away()),
      { retries: 20, retryDelay: 100 },
    )
    const waits = at.slice(1).map((time, i) => time - (at[i] ?? 0))
    waits.forEach((wait, i) => {
      const most = Math.min(100 * 2 ** i, 30_000)
      expect(wait).toBeGreaterThanOrEqual(most / 2 - 1)
      expect(wait).toBeLessThanOrEqual(most + 1)
    })
  })

  it('waits as long as the other side asks for', async () => {
    const { at } = await attempts([away(7000)], { retries: 1, retryDelay: 1 })
    expect(at).toEqual([0, 7000])
  })

  it.each([new IvcapError('not-found', 'gone'), new Error('other'), 'text'])(
    'does not repeat %s',
    async (error) => {
      const { at, run } = await attempts([error], { retries: 5, retryDelay: 1 })
      expect(at).toEqual([0])
      await expect(run).rejects.toBe(error)
    },
  )

  it('gives up waiting at once when aborted, and leaves no timer', async () => {
    const controller = new AbortController()
    const reason = new Error('enough')
    const run = retry(() => Promise.reject(away()), {
      retries: 1,
      retryDelay: 1000,
      signal: controller.signal,
    })
    run.catch(() => {})
    await vi.advanceTimersByTimeAsync(100)
    controller.abort(reason)
    await expect(run).rejects.toBe(reason)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('does not begin when aborted before', async () => {
    let ran = false
    const run = retry(
      async () => {
        ran = true
      },
      { retries: 1, retryDelay: 1, signal: AbortSignal.abort('enough') },
    )
    await expect(run).rejects.toBe('enough')
    expect(ran).toBe(false)
  })
})
