import { isIvcapError } from '@ivcap/core/driver'
import { describe, expect, it } from 'vitest'
import { faultyBlobs } from '../src/index.js'
import { bytesOf, put } from '../src/support/blobs.js'
import { expectBytes, someBytes, streamOf } from '../src/support/bytes.js'
import { mapBlobs } from './map-blobs.js'

const content = someBytes(300_000)

/** What became of many puts and gets: `ok`, or the message of the fault. */
async function outcomes(seed: number, rate: number): Promise<readonly string[]> {
  const blobs = mapBlobs()
  const faulty = faultyBlobs(blobs, { seed, rate })
  const results: string[] = []
  const note = (run: Promise<unknown>) =>
    run.then(
      () => results.push('ok'),
      (e: unknown) => results.push(isIvcapError(e, 'unavailable') ? e.message : `unexpected: ${e}`),
    )
  for (let n = 0; n < 60; n++) {
    await note(put(faulty, `key/${n}`, n % 2 ? content : streamOf(content)))
    await put(blobs, `key/${n}`, content, { mode: 'overwrite' })
    await note(bytesOf(faulty, `key/${n}`))
  }
  return results
}

describe('faultyBlobs', () => {
  it('fails as the seed says, and only in ways that are worth another try', async () => {
    const results = await outcomes(7, 0.4)
    expect(results.filter((r) => r.startsWith('unexpected'))).toEqual([])
    expect(results.filter((r) => r === 'ok').length).toBeGreaterThan(30)
    expect(results.filter((r) => r.includes('broke')).length).toBeGreaterThan(10)
    expect(results.filter((r) => r.includes('answer')).length).toBeGreaterThan(3)
    expect(await outcomes(7, 0.4)).toEqual(results)
    expect(await outcomes(8, 0.4)).not.toEqual(results)
  })

  it('does nothing at a rate of 0', async () => {
    expect(new Set(await outcomes(1, 0))).toEqual(new Set(['ok']))
  })

  it('lets a call through after as many faults in a row as it may make', async () => {
    const blobs = mapBlobs()
    await put(blobs, 'key', content)
    const faulty = faultyBlobs(blobs, { seed: 1, rate: 1, inARow: 3 })
    const heads: string[] = []
    for (let n = 0; n < 8; n++) {
      const code = (e: unknown) => (isIvcapError(e) ? e.code : String(e))
      heads.push(await faulty.head('key', {}).then(() => 'ok', code))
    }
    const three = ['unavailable', 'unavailable', 'unavailable']
    expect(heads).toEqual([...three, 'ok', ...three, 'ok'])
  })

  it('a lost answer means done, a late request that it will be, a lost one that it is not', async () => {
    const seen = new Set<string>()
    for (let seed = 0; seed < 40; seed++) {
      const blobs = mapBlobs()
      const faulty = faultyBlobs(blobs, { seed, rate: 1 })
      const error = String(await put(faulty, 'key', content).catch((e: unknown) => e))
      const isDone = async () => (await blobs.list({ prefix: '', limit: 1 }, {})).items.length === 1
      const outcome = /answer was lost|in time|broke/.exec(error)?.[0] ?? error
      if (outcome !== 'in time') expect(await isDone()).toBe(outcome === 'answer was lost')
      await faulty.settled()
      expect(await isDone()).toBe(outcome !== 'broke')
      seen.add(outcome)
      if (outcome !== 'broke') expectBytes(await bytesOf(blobs, 'key'), content)
    }
    expect(seen).toEqual(new Set(['answer was lost', 'in time', 'broke']))
  })

  it('carries out some calls only after many others, or when all is settled', async () => {
    const calls: number[] = []
    for (let seed = 0; seed < 60; seed++) {
      const blobs = mapBlobs()
      const faulty = faultyBlobs(blobs, { seed, rate: 1, inARow: 1 })
      const error = String(await put(faulty, 'key', content).catch((e: unknown) => e))
      if (!error.includes('in time')) continue
      const isThere = async () => (await blobs.list({ prefix: 'key', limit: 1 }, {})).items.length > 0
      let others = 0
      while (!(await isThere()) && others < 100) {
        others++
        await faulty.head(`other/${others}`, {}).catch(() => {})
        // what comes late comes within some turns
        for (let turns = 0; turns < 20; turns++) await new Promise((resolve) => setImmediate(resolve))
      }
      calls.push(others)
    }
    expect(calls.some((others) => others <= 1)).toBe(true)
    expect(calls.some((others) => others > 10 && others < 100)).toBe(true)
    expect(Math.max(...calls)).toBeLessThan(100)
  })

  it('cuts pages short without losing a key', async () => {
    const blobs = mapBlobs()
    for (let n = 0; n < 30; n++) await put(blobs, `key/${n}`, 'x')
    const faulty = faultyBlobs(blobs, { seed: 1, rate: 0.9, inARow: 5 })
    const keys: string[] = []
    let short = 0
    for (let more = true; more; ) {
      const startAfter = keys.at(-1)
      const q = { prefix: 'key/', limit: 10, ...(startAfter !== undefined && { startAfter }) }
      const page = await faulty.list(q, {}).catch(() => undefined)
      if (page === undefined) continue
      expect(page.items.length).toBeGreaterThan(0)
      if (page.items.length < 10 && page.more) short++
      keys.push(...page.items.map(({ key }) => key))
      more = page.more
    }
    expect(short).toBeGreaterThan(0)
    expect(keys).toEqual([...new Set(keys)])
    expect(keys).toHaveLength(30)
  })

  it('flips a bit of what is verified, and of nothing else', async () => {
    const blobs = mapBlobs()
    await put(blobs, 'verified/key', content)
    await put(blobs, 'key', content)
    const verified = (key: string) => key.startsWith('verified/')
    const flips = { 'verified/key': 0, key: 0 }
    for (const key of ['verified/key', 'key'] as const) {
      const faulty = faultyBlobs(blobs, { seed: 1, rate: 0.5, verified })
      for (let n = 0; n < 40; n++) {
        const bytes = await bytesOf(faulty, key).catch(() => undefined)
        if (bytes !== undefined && Buffer.compare(bytes, content) !== 0) flips[key]++
      }
    }
    expect(flips.key).toBe(0)
    expect(flips['verified/key']).toBeGreaterThan(0)
  })
})
