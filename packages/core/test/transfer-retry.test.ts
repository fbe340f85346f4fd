import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { IvcapError } from '../src/model/errors.js'
import { FailureLog } from '../src/model/failures.js'
import { connectionFault, retryAfterOf } from '../src/retry/connection-fault.js'
import { retry } from '../src/retry/retry.js'

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

  it('counts anew after progress: forty faults of a transfer pass, six in a row without progress do not', async () => {
    let [accepted, runs] = [0, 0]
    const o = { retries: 5, retryDelay: 1, progress: () => accepted }
    const run = retry(async () => {
      runs += 1
      if (runs > 40) return 'done'
      accepted += 1
      throw away()
    }, o)
    await vi.runAllTimersAsync()
    expect(await run).toBe('done')

    runs = 0
    const stuck = retry(async () => {
      runs += 1
      if (runs <= 10) accepted += 1
      throw new IvcapError('unavailable', `failure ${runs}`)
    }, o)
    stuck.catch(() => {})
    await vi.runAllTimersAsync()
    await expect(stuck).rejects.toMatchObject({ attempts: 6 })
    // the first of those six
    await expect(stuck).rejects.toThrow('failure 10 ')
    expect(runs).toBe(15)
  })

  it('passes on an error whose retries are used up', async () => {
    const inner = () => retry(() => Promise.reject(away()), { retries: 2, retryDelay: 1 })
    let runs = 0
    const outer = retry(
      () => {
        runs += 1
        return inner()
      },
      { retries: 5, retryDelay: 1 },
    )
    outer.catch(() => {})
    await vi.runAllTimersAsync()
    await expect(outer).rejects.toMatchObject({ attempts: 3 })
    expect(runs).toBe(1)
  })

  it('records the failures that are repeated, not the answers', async () => {
    const failures = new FailureLog()
    const o = { retries: 1, retryDelay: 1, failures }
    await retry(() => Promise.reject(new IvcapError('not-found', 'absent')), o).catch(() => {})
    expect(failures.count).toBe(0)
    const run = retry(() => Promise.reject(away()), o)
    run.catch(() => {})
    await vi.runAllTimersAsync()
    expect(failures.count).toBe(2)
  })

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

describe('a connection that fails', () => {
  const of = (code: string) => connectionFault(Object.assign(new Error(code), { code }))

  it.each([
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'SELF_SIGNED_CERT_IN_CHAIN',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'CERT_HAS_EXPIRED',
    'ERR_TLS_CERT_ALTNAME_INVALID',
  ])('by a certificate (%s) is final', (code) => {
    expect(of(code)).toMatchObject({
      retryable: false,
      unsent: true,
      why: expect.stringMatching(/certificate/),
    })
  })

  it('to an unknown host is final, to a busy name server not', () => {
    expect(of('ENOTFOUND')).toMatchObject({ retryable: false, unsent: true })
    expect(of('EAI_AGAIN')).toMatchObject({ retryable: true, unsent: true })
  })

  it('is found in a cause, and in the first of several', () => {
    const several = new AggregateError([Object.assign(new Error('x'), { code: 'ECONNREFUSED' })])
    const fault = connectionFault(new Error('fetch failed', { cause: several }))
    expect(fault).toMatchObject({ retryable: true, unsent: true, why: expect.stringMatching(/refused/) })
  })

  it('is no other error', () => {
    expect(of('invalid_grant')).toBeUndefined()
    expect(connectionFault(new Error('other'))).toBeUndefined()
  })

  it('Retry-After holds seconds or a date', () => {
    expect(retryAfterOf('120')).toBe(120_000)
    expect(retryAfterOf(new Date(Date.now() + 60_000).toUTCString())).toBeGreaterThan(50_000)
    expect(retryAfterOf('soon')).toBeUndefined()
    expect(retryAfterOf(undefined)).toBeUndefined()
  })
})
