import fc from 'fast-check'
import { expect, it } from 'vitest'
import { orderedRanges } from '../src/transfer/ordered-ranges.js'
import { patterned, read } from './support/bytes.js'

const content = patterned(5000)

/** Ranges of `content` in pieces of `step` bytes, each counted while it is under way. */
function place(step = 64) {
  const seen = { opened: [] as number[], under: 0, most: 0 }
  const open = async ({ start, end }: { readonly start: number; readonly end: number }) => {
    seen.opened.push(start)
    seen.under += 1
    seen.most = Math.max(seen.most, seen.under)
    let at = start
    const over = () => {
      seen.under -= 1
    }
    return new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          // those that begin later may be done earlier
          if (start % 3 === 0) await new Promise((resolve) => setImmediate(resolve))
          controller.enqueue(content.slice(at, Math.min(at + step, end)))
          at = Math.min(at + step, end)
          if (at < end) return
          over()
          controller.close()
        },
        cancel: over,
      },
      { highWaterMark: 0 },
    )
  }
  return { seen, open }
}

/** `[start, end)` in ranges, as a driver asks for it: with the first of them opened already. */
async function ranges(
  { open }: ReturnType<typeof place>,
  { start = 0, end = 5000 },
  o: { partSize: number; concurrency: number; trial: number; fast?: number; signal?: AbortSignal },
) {
  const first = await open({ start, end: Math.min(start + o.trial, end) })
  return orderedRanges({ start, end }, open, { fast: Number.POSITIVE_INFINITY, ...o, first })
}

it('gives all bytes in order, whatever the sizes, with no more at once than is allowed', async () => {
  const whole = fc.record({
    start: fc.nat(4999),
    length: fc.integer({ min: 1, max: 5000 }),
    trial: fc.integer({ min: 1, max: 2000 }),
    fast: fc.constantFrom(0, Number.POSITIVE_INFINITY),
    partSize: fc.integer({ min: 1, max: 3000 }),
    concurrency: fc.integer({ min: 1, max: 6 }),
    step: fc.integer({ min: 1, max: 900 }),
  })
  await fc.assert(
    fc.asyncProperty(whole, async ({ start, length, step, ...o }) => {
      const end = Math.min(start + length, 5000)
      const at = place(step)
      const bytes = await read(await ranges(at, { start, end }, o))
      expect(Buffer.compare(bytes, content.subarray(start, end))).toBe(0)
      expect(at.seen.most).toBeLessThanOrEqual(o.concurrency)
      expect(at.seen.under).toBe(0)
    }),
    { numRuns: 200 },
  )
})

it('asks for nothing more before somebody reads', async () => {
  const at = place()
  const stream = await ranges(at, {}, { trial: 500, partSize: 1500, concurrency: 2 })
  expect(at.seen.opened).toEqual([0])
  expect(Buffer.compare(await read(stream), content)).toBe(0)
  expect(at.seen.opened).toEqual([0, 500, 2000, 3500])
})

it('takes the rest at once where one connection is fast', async () => {
  const at = place()
  await read(await ranges(at, {}, { trial: 500, partSize: 1500, concurrency: 2, fast: 0 }))
  expect(at.seen.opened).toEqual([0, 500])
})

it('cancels a first body that nobody read from', async () => {
  const at = place()
  const stream = await ranges(at, {}, { trial: 500, partSize: 1500, concurrency: 2 })
  await stream.cancel('enough')
  expect(at.seen.under).toBe(0)
})

it('tells of a failure when its bytes are due, and stops the others', async () => {
  const at = place()
  const open = async (range: { readonly start: number; readonly end: number }) => {
    if (range.start === 2000) throw new Error('the third')
    return at.open(range)
  }
  const reader = (
    await ranges({ ...at, open }, {}, { trial: 1000, partSize: 1000, concurrency: 4 })
  ).getReader()
  let count = 0
  const all = async () => {
    for (let next = await reader.read(); !next.done; next = await reader.read())
      count += next.value.byteLength
  }
  await expect(all()).rejects.toThrow('the third')
  expect(count).toBe(2000)
  expect(at.seen.under).toBe(0)
})

it.each([
  ['abort', 0],
  ['cancel', 0],
  ['abort', Number.POSITIVE_INFINITY],
  ['cancel', Number.POSITIVE_INFINITY],
] as const)('stops all of them at an %s', async (how, fast) => {
  const at = place()
  const controller = new AbortController()
  const o = { trial: 100, partSize: 1000, concurrency: 3, fast, signal: controller.signal }
  const reader = (await ranges(at, {}, o)).getReader()
  for (let i = 0; i < 3; i++) await reader.read()
  expect(at.seen.opened.length).toBeGreaterThan(1)
  if (how === 'cancel') await reader.cancel()
  else {
    controller.abort(new Error('enough'))
    await expect(reader.read()).rejects.toThrow('enough')
  }
  expect(at.seen.under).toBe(0)
})
