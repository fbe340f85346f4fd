/** In the page: a backend that does what Node asks of it, and asks Node for the bytes of its sources when it wants them. */
import { platformBackend } from '@ivcap/backend-platform'
import { type Backend, type ByteSource, contentSource, isIvcapError } from '@ivcap/core/driver'
import {
  type CallMessage,
  decode,
  encode,
  type Fault,
  type NodeSide,
  type Outcome,
  outcomeOf,
  type PageSide,
  type SourceMessage,
} from './messages.js'

/** Playwright's binding: a method of Node's side, and its arguments as JSON. */
declare const askNode: (method: keyof NodeSide, args: string) => Promise<Outcome<unknown>>

class FaultOfNode extends Error {
  constructor(readonly fault: Fault) {
    super(fault.message)
  }
}

async function ask<M extends keyof NodeSide>(method: M, ...args: Parameters<NodeSide[M]>) {
  // JSON of the very call: NodeSide says what it answers
  const outcome = (await askNode(method, JSON.stringify(args))) as Awaited<ReturnType<NodeSide[M]>>
  if ('fault' in outcome) throw new FaultOfNode(outcome.fault)
  return outcome.value as Extract<typeof outcome, { readonly value: unknown }>['value']
}

const backends: Backend[] = []
const callers = new Map<number, AbortController>()
const bodies = new Map<number, ReadableStreamDefaultReader<Uint8Array>>()
const abortReason = { aborted: true }

const page: PageSide = {
  connect: (place) => outcomeOf(async () => backends.push(platformBackend(place)) - 1, faultOf),
  call: (message) => outcomeOf(() => perform(message), faultOf),
  abort: (call) =>
    outcomeOf(async () => {
      callers.get(call)?.abort(abortReason)
      return null
    }, faultOf),
  pull: (call) =>
    outcomeOf(async () => {
      const next = await bodies.get(call)?.read()
      return next?.value ? encode(next.value) : null
    }, faultOf),
  cancel: (call) =>
    outcomeOf(async () => {
      await bodies.get(call)?.cancel()
      return null
    }, faultOf),
}

async function perform({
  call,
  backend,
  method,
  args,
  options,
  source,
  aborted,
}: CallMessage): Promise<unknown> {
  const caller = new AbortController()
  callers.set(call, caller)
  const onProgress = (accepted: number, total?: number) => void ask('progress', call, accepted, total ?? null)
  const o = { ...options, ...(options['onProgress'] === true && { onProgress }), signal: caller.signal }
  const [store, name] = method.split('.')
  const target = store === 'artifacts' ? backends[backend]?.artifacts : backends[backend]?.aspects
  const operation: unknown = target === undefined ? undefined : Reflect.get(target, name ?? '')
  if (typeof operation !== 'function') throw new Error(`the page has no ${method}`)
  const given = source === undefined ? args : [await sourceOf(source), ...args]
  const running: unknown = Reflect.apply(operation, target, [...given, o])
  if (aborted) caller.abort(abortReason)
  const result = await running
  return name === 'read' ? withoutBody(call, result) : result
}

/** Keeps the body here, for `pull`. */
function withoutBody(call: number, result: unknown): unknown {
  if (typeof result !== 'object' || result === null || !('body' in result)) return result
  const { body, ...rest } = result
  if (body instanceof ReadableStream) bodies.set(call, body.getReader())
  return rest
}

async function sourceOf({ id, size, replayable, whole }: SourceMessage): Promise<ByteSource> {
  const unchanged = async () => ask('unchanged', id)
  const source: ByteSource = {
    replayable,
    ...(size !== undefined && { size }),
    open: ({ signal, ...range } = {}) => chunksOf(id, range, signal),
    unchanged,
  }
  if (!whole) return source
  const blob = await (await fetch(`/lent/${id}`)).blob()
  return { ...contentSource(blob), unchanged }
}

function chunksOf(
  source: number,
  range: { readonly offset?: number; readonly end?: number },
  signal: AbortSignal | undefined,
) {
  let opened: Promise<number> | undefined
  const open = () => {
    opened ??= ask('open', source, range)
    return opened
  }
  signal?.addEventListener('abort', () => void opened?.then((stream) => ask('abortSource', stream)))
  return new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      async pull(controller) {
        signal?.throwIfAborted()
        const chunk = await ask('pull', await open())
        if (chunk === null) controller.close()
        else controller.enqueue(decode(chunk))
      },
      async cancel() {
        await ask('cancel', await open())
      },
    },
    { highWaterMark: 0 },
  )
}

function faultOf(error: unknown): Fault {
  if (error === abortReason) return { aborted: true }
  if (error instanceof FaultOfNode) return error.fault
  if (!(error instanceof Error)) return { message: String(error) }
  const cause = error.cause === undefined ? {} : { cause: faultOf(error.cause) }
  // what an IvcapError tells besides its message and its cause is plain data of its own
  const details = isIvcapError(error) ? { details: { ...error } } : {}
  return { message: error.message, ...details, ...cause }
}

/** A method of the page's side, its argument and its outcome as JSON: nothing else keeps odd keys and deep values as they are. */
async function answer(method: keyof PageSide, argument: string): Promise<string> {
  return JSON.stringify(await Reflect.apply(page[method], page, [JSON.parse(argument)]))
}

Object.assign(globalThis, { answer })
