import { Readable } from 'node:stream'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { IvcapError, isIvcapError } from '../src/model/errors.js'
import { parseTime } from '../src/model/time.js'
import type { ByteSource } from '../src/ports/index.js'
import { withDigest } from '../src/streams/sha256.js'
import { type Content, contentSource } from '../src/streams/source.js'
import { bytesOf, read } from './support/bytes.js'
import { generate, oneShot, replayable, webStream } from './support/contents.js'

describe.each(replayable)('content as %s', (_, make) => {
  it('gives any slice of the bytes, as often as asked', async () => {
    await fc.assert(
      fc.asyncProperty(bytesOf(300), fc.nat(320), fc.nat(320), async (bytes, a, b) => {
        const source = contentSource(make(bytes), { size: bytes.length })
        expect(source).toMatchObject({ size: bytes.length, replayable: true })
        const [offset, end] = [Math.min(a, b), Math.max(a, b)]
        expect(await read(source.open({ offset, end }))).toEqual(bytes.slice(offset, end))
        expect(await read(source.open({ offset }))).toEqual(bytes.slice(offset))
        expect(await read(source.open())).toEqual(bytes)
      }),
    )
  })

  it('is refused before it is read when it has another size than declared', () => {
    expect(() => contentSource(make(new Uint8Array(10)), { size: 9 })).toThrow(/contentSize is 9.*10/)
  })
})

describe.each(oneShot)('content as %s', (_, make) => {
  it('gives the bytes once, from the start', async () => {
    await fc.assert(
      fc.asyncProperty(bytesOf(60), fc.option(fc.nat(80), { nil: undefined }), async (bytes, end) => {
        const source = contentSource(make(bytes))
        expect(source).toMatchObject({ replayable: false })
        expect(source.size).toBeUndefined()
        expect(await read(source.open(end === undefined ? {} : { end }))).toEqual(bytes.slice(0, end))
        expect(() => source.open()).toThrow(/can't be read a second time/)
      }),
    )
  })

  it('polices the declared size', async () => {
    await fc.assert(
      fc.asyncProperty(bytesOf(60), fc.nat(70), async (bytes, size) => {
        const source = contentSource(make(bytes), { size })
        const reading = read(source.open())
        if (size === bytes.length) expect(await reading).toEqual(bytes)
        else
          await expect(reading).rejects.toMatchObject({ code: 'invalid-argument', argument: 'contentSize' })
      }),
    )
  })

  it('tells of more bytes than declared before all the declared ones are handed out', async () => {
    const reader = contentSource(make(new Uint8Array(14)), { size: 7 })
      .open()
      .getReader()
    await expect(reader.read()).rejects.toMatchObject({ argument: 'contentSize' })
  })

  it('cannot be opened further on', () => {
    const source = contentSource(make(new Uint8Array(14)))
    expect(() => source.open({ offset: 7 })).toThrow(/from byte 7/)
  })
})

describe('text as content', () => {
  it('is UTF-8', async () => {
    const source = contentSource('Rīga 🌊', { size: 10 })
    expect(new TextDecoder().decode(await read(source.open()))).toBe('Rīga 🌊')
  })

  it('survives being cut anywhere, in the middle of a character too', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'binary', maxLength: 20 }),
        fc.integer({ min: 1, max: 5 }),
        async (text, step) => {
          const pieces = Array.from({ length: Math.ceil(text.length / step) }, (_, i) =>
            text.slice(i * step, (i + 1) * step),
          )
          const source = contentSource(generate(pieces))
          expect(new TextDecoder('utf-8', { ignoreBOM: true }).decode(await read(source.open()))).toBe(text)
        },
      ),
    )
  })
})

describe('content that can not be used', () => {
  it.each([null, undefined, 7, {}, () => {}, Symbol('x'), true])('refuses %s', (content) => {
    expect(() => Reflect.apply(contentSource, undefined, [content])).toThrow(/content is/)
  })

  it.each([-2, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('refuses a contentSize of %s', (size) => {
    expect(() => contentSource('x', { size })).toThrow(/contentSize must be/)
  })

  it('takes -1 for an unknown size', () => {
    expect(contentSource(generate([]), { size: -1 }).size).toBeUndefined()
  })

  // known failure: stream-not-at-start
  it('refuses a stream that somebody reads, or has read, or has closed', async () => {
    const locked = webStream([new Uint8Array(1)])
    locked.getReader()
    expect(() => contentSource(locked)).toThrow(/read by somebody else/)

    const finished = webStream([new Uint8Array(1)])
    for await (const _ of finished);
    expect(() => contentSource(finished)).toThrow(/was read/)

    const cancelled = webStream([])
    await cancelled.cancel()
    expect(() => contentSource(cancelled)).toThrow(/was read/)

    const node = Readable.from([new Uint8Array(1)])
    for await (const _ of node);
    expect(() => contentSource(node)).toThrow(/was read/)

    const destroyed = Readable.from([new Uint8Array(1)])
    destroyed.destroy()
    expect(() => contentSource(destroyed)).toThrow(/was read/)
  })

  it('refuses at the opening what was taken away since', () => {
    const stream = webStream([new Uint8Array(1)])
    const source = contentSource(stream)
    stream.getReader()
    expect(() => source.open()).toThrow(/read by somebody else/)
  })

  it('names a chunk that is no bytes', async () => {
    const objects = Readable.from([{ a: 1 }])
    await expect(read(contentSource(objects).open())).rejects.toMatchObject({
      code: 'invalid-argument',
      argument: 'content',
      message: expect.stringContaining('[object Object]'),
    })
    const numbers: unknown = [1, 2]
    const source: ByteSource = Reflect.apply(contentSource, undefined, [numbers])
    await expect(read(source.open())).rejects.toThrow(/content yielded 1/)
  })

  it('passes the error of a stream on as cause', async () => {
    const cause = new Error('the tape broke')
    async function* broken() {
      yield new Uint8Array(3)
      throw cause
    }
    const failing = [
      broken(),
      Readable.from(broken()),
      new ReadableStream({ pull: () => Promise.reject(cause) }),
    ]
    for (const content of failing) {
      const error = await read(contentSource(content).open()).catch((e: unknown) => e)
      expect(error).toMatchObject({ code: 'invalid-argument', argument: 'content', cause, retryable: false })
      expect(isIvcapError(error) && error.message).toContain('the tape broke')
    }
  })

  it('passes an error of this project on as it is', async () => {
    const cause = new IvcapError('not-found', 'the artifact that is read is gone')
    async function* broken() {
      yield new Uint8Array(3)
      throw cause
    }
    await expect(read(contentSource(broken()).open())).rejects.toBe(cause)
  })
})

describe('giving up on a source', () => {
  const all = [...replayable, ...oneShot]

  it.each(all)('aborts %s with the reason of the caller', async (_, make) => {
    const before = new AbortController()
    const reason = new Error('enough')
    before.abort(reason)
    const bytes = new Uint8Array(3 << 20)
    const early = contentSource(make(bytes)).open({ signal: before.signal })
    await expect(early.getReader().read()).rejects.toBe(reason)

    const midway = new AbortController()
    const reader = contentSource(make(bytes)).open({ signal: midway.signal }).getReader()
    await reader.read()
    midway.abort(reason)
    await expect(reader.read()).rejects.toBe(reason)
  })

  it('lets go of a stream that has nothing to give, on abort and on cancel', async () => {
    let cancelled: unknown
    const silent = () =>
      new ReadableStream<Uint8Array>({
        pull: () => new Promise(() => {}),
        cancel: (reason) => {
          cancelled = reason
        },
      })
    const controller = new AbortController()
    const reading = contentSource(silent()).open({ signal: controller.signal }).getReader().read()
    controller.abort('stop')
    await expect(reading).rejects.toBe('stop')
    expect(cancelled).toBe('stop')

    await contentSource(silent()).open().cancel('no need')
    expect(cancelled).toBe('no need')
  })

  it('ends a generator, and destroys a Node stream that is waiting', async () => {
    let ended = false
    async function* endless() {
      try {
        for (;;) yield new Uint8Array(1)
      } finally {
        ended = true
      }
    }
    const reader = contentSource(endless()).open().getReader()
    await reader.read()
    await reader.cancel()
    expect(ended).toBe(true)

    const waiting = new Readable({ read() {} })
    const controller = new AbortController()
    const reading = contentSource(waiting).open({ signal: controller.signal }).getReader().read()
    controller.abort('stop')
    await expect(reading).rejects.toBe('stop')
    expect(waiting.destroyed).toBe(true)
  })

  it('takes no more than the end that is asked for, and ends the generator there', async () => {
    let [yielded, ended] = [0, false]
    async function* endless() {
      try {
        for (;;) {
          yielded++
          yield new Uint8Array(10)
        }
      } finally {
        ended = true
      }
    }
    const read: number[] = []
    for await (const chunk of contentSource(endless()).open({ end: 20 })) read.push(chunk.byteLength)
    expect(read).toEqual([10, 10])
    expect([yielded, ended]).toEqual([2, true])
  })

  it('does not wait for a generator that never comes back', async () => {
    async function* stuck() {
      await new Promise(() => {})
      yield new Uint8Array(1)
    }
    const controller = new AbortController()
    const reading = contentSource(stuck()).open({ signal: controller.signal }).getReader().read()
    controller.abort('stop')
    await expect(reading).rejects.toBe('stop')
  })

  it('pulls nothing before somebody reads', async () => {
    let pulled = 0
    const counting = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          pulled += 1
          controller.enqueue(new Uint8Array(1))
        },
      },
      { highWaterMark: 0 },
    )
    const stream = withDigest(contentSource(counting)).source.open()
    await new Promise(setImmediate)
    expect(pulled).toBe(0)
    await stream.getReader().read()
    expect(pulled).toBe(1)
  })
})

describe('content of another realm', () => {
  const values = [1, 2, 3, 250]
  const there = (expression: string): Content => runInNewContext(expression.replace('VALUES', `${values}`))
  it.each([
    'new Uint8Array([VALUES])',
    'new Uint8Array([VALUES]).buffer',
    'new Uint8ClampedArray([VALUES])',
    'new DataView(new Uint8Array([9, VALUES, 9]).buffer, 1, 4)',
    'new Uint8Array(new SharedArrayBuffer(4)).fill(1).map((_, i) => [VALUES][i])',
    '(() => { const b = new SharedArrayBuffer(4); new Uint8Array(b).set([VALUES]); return b })()',
    '[new Uint8Array([1]), new Uint8Array([2, 3]), new DataView(new Uint8Array([250]).buffer)]',
    '(async function* () { yield new Uint8Array([1]); yield new Uint8Array([2, 3, 250]).buffer })()',
  ])('%s is taken as what it is', async (expression) => {
    expect([...(await read(contentSource(there(expression)).open()))]).toEqual(values)
  })

  it('may be accompanied by a Date of that realm', () => {
    const date: unknown = runInNewContext('new Date(1e12)')
    expect(parseTime(date, 'atTime')).toBe('2001-09-09T01:46:40.000000Z')
    for (const none of [runInNewContext('new Date(NaN)'), { getTime: () => 0 }, 1e12, null, undefined]) {
      expect(() => parseTime(none, 'atTime')).toThrow(/atTime is not a Date/)
    }
  })

  it('is told by what it is, not by what it calls itself', () => {
    const liar: unknown = { [Symbol.toStringTag]: 'ArrayBuffer', byteLength: 4 }
    // @ts-expect-error no content
    expect(() => contentSource(liar)).toThrow(/content is .*give bytes/)
  })
})

describe('bytes that may change under way', () => {
  it('are copied where another thread shares them, or their buffer can be resized', async () => {
    const shared = new SharedArrayBuffer(3)
    const resizable: ArrayBuffer = Reflect.construct(ArrayBuffer, [3, { maxByteLength: 9 }])
    for (const buffer of [shared, resizable]) {
      const bytes = new Uint8Array(buffer)
      bytes.set([1, 2, 3])
      const source = contentSource(bytes)
      bytes.fill(9)
      expect([...(await read(source.open()))]).toEqual([1, 2, 3])
    }
  })

  it('are refused when they have gone to another thread', () => {
    const buffer = new ArrayBuffer(8)
    const view = new Uint8Array(buffer)
    structuredClone(buffer, { transfer: [buffer] })
    for (const content of [buffer, view]) {
      expect(() => contentSource(content)).toThrow(
        expect.objectContaining({ code: 'invalid-argument', argument: 'content' }),
      )
    }
    // nothing is no loss
    expect(contentSource(new ArrayBuffer(0)).size).toBe(0)
  })
})
