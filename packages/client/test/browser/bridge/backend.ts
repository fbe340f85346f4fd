/** In Node: a Backend whose every call is made by one that runs in a page. */
import { type Backend, type ByteSource, IvcapError, type IvcapErrorCode } from '@ivcap/core/driver'
import type { BrowserContext, Page } from 'playwright-core'
import {
  type CallMessage,
  decode,
  type Fault,
  type NodeSide,
  type Outcome,
  type PageSide,
  type Place,
} from './messages.js'
import { Lent, nodeSide } from './node-side.js'

interface Options {
  readonly signal?: AbortSignal
  readonly onProgress?: (accepted: number, total?: number) => void
}

/** A page whose script is `page.ts`: a process of its own that backends can run in. */
export async function openPage(context: BrowserContext, url: string): Promise<BackendPage> {
  const page = await context.newPage()
  const lent = new Lent()
  const node = nodeSide(lent)
  await page.exposeFunction('askNode', (method: keyof NodeSide, args: string) =>
    Reflect.apply(node[method], node, JSON.parse(args)),
  )
  await page.route('**/lent/*', async (route) => {
    const source = lent.sources[Number(route.request().url().split('/').at(-1))]
    await route.fulfill({ body: Buffer.from(await new Response(source?.open()).arrayBuffer()) })
  })
  await page.goto(url)
  return new BackendPage(page, lent)
}

export class BackendPage {
  readonly #page: Page
  readonly #lent: Lent
  #calls = 0

  constructor(page: Page, lent: Lent) {
    this.#page = page
    this.#lent = lent
  }

  async connect(place: Place): Promise<Backend> {
    const backend = this.#given(await this.#ask<number>('connect', place))
    const call = async (...args: CallArguments) => (await this.#call(backend, ...args)).value
    return {
      artifacts: {
        name: 'platform',
        location: place.url,
        remembersUploads: true,
        create: (source, draft, o) => call('artifacts.create', [draft], o, source),
        stat: (id, o) => call('artifacts.stat', [id], o),
        read: async (id, o) => {
          const read = await this.#call(backend, 'artifacts.read', [id], o)
          return Object.assign({ body: this.#body(read.number, o.signal) }, read.value)
        },
        list: (q, o) => call('artifacts.list', [q], o),
      },
      aspects: {
        assert: (draft, mode, o) => call('aspects.assert', [draft, mode], o),
        get: (id, o) => call('aspects.get', [id], o),
        list: (q, o) => call('aspects.list', [q], o),
        retract: (id, o) => call('aspects.retract', [id], o),
      },
    }
  }

  /** @returns its value, of whatever type the port says that it is */
  async #call(backend: number, ...[method, args, { signal, onProgress, ...rest }, source]: CallArguments) {
    signal?.throwIfAborted()
    const number = this.#calls++
    if (onProgress) this.#lent.progress.set(number, onProgress)
    const options = { ...rest, ...(onProgress && { onProgress: true }) }
    const lent = source && { source: this.#lend(source) }
    await undefined // an abort in the very turn of the call goes with it: the page would have done much by its arrival
    const aborted = signal?.aborted ?? false
    const message: CallMessage = { call: number, backend, method, args, options, aborted, ...lent }
    const answer = this.#ask<never>('call', message)
    signal?.addEventListener('abort', () => void this.#ask('abort', number).catch(() => {}))
    return { number, value: this.#given(await answer, signal) }
  }

  #lend(source: ByteSource) {
    const { size, replayable, native } = source
    const id = this.#lent.sources.push(source) - 1
    return { id, replayable, whole: native !== undefined, ...(size !== undefined && { size }) }
  }

  #body(call: number, signal?: AbortSignal): ReadableStream<Uint8Array> {
    return new ReadableStream(
      {
        pull: async (controller) => {
          const chunk = this.#given(await this.#ask<string | null>('pull', call), signal)
          if (chunk === null) controller.close()
          else controller.enqueue(decode(chunk))
        },
        cancel: async () => void this.#given(await this.#ask('cancel', call), signal),
      },
      { highWaterMark: 0 },
    )
  }

  async #ask<T>(method: keyof PageSide, argument: unknown): Promise<Outcome<T>> {
    const code = `answer(${JSON.stringify(method)}, ${JSON.stringify(JSON.stringify(argument))})`
    return JSON.parse(await this.#page.evaluate<string>(code))
  }

  #given<T>(outcome: Outcome<T>, signal?: AbortSignal): T {
    if ('fault' in outcome) throw this.#errorOf(outcome.fault, signal)
    return outcome.value
  }

  #errorOf({ aborted, id, message = '', details, cause }: Fault, signal?: AbortSignal): unknown {
    if (aborted) return signal?.reason
    if (id !== undefined) return this.#lent.errors[id]
    const because = cause === undefined ? {} : { cause: this.#errorOf(cause, signal) }
    if (details === undefined) return new Error(message, because)
    // it was an IvcapError in the page, and crossed as JSON
    const { code, ...rest } = details as { readonly code: IvcapErrorCode }
    return new IvcapError(code, message, { ...rest, ...because })
  }
}

type CallArguments = [method: string, args: readonly unknown[], o: Options, source?: ByteSource]
