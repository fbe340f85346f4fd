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
