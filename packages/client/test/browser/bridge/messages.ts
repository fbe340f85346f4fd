/** What passes between a test in Node and a backend in the page: JSON, with bytes as base64. */

/** A source in Node; `whole`: its bytes are there, and the page makes a Blob of them as an app would hold one. */
export interface SourceMessage {
  readonly id: number
  readonly size?: number
  readonly replayable: boolean
  readonly whole: boolean
}

export interface Place {
  readonly url: string
  readonly token: string
}

export interface CallMessage {
  /** Chosen by the caller: `abort` names it. */
  readonly call: number
  readonly backend: number
  readonly method: string
  /** All but the options. */
  readonly args: readonly unknown[]
  readonly options: Readonly<Record<string, unknown>>
  /** In place of the first argument. */
  readonly source?: SourceMessage
  /** The caller gave it up as soon as it had begun. */
  readonly aborted: boolean
}

/** An error on its way across; `id` leads back to one that Node threw. */
export interface Fault {
  readonly aborted?: true
  readonly id?: number
  readonly message?: string
  readonly details?: Readonly<Record<string, unknown>>
  readonly cause?: Fault
}

export type Outcome<T> = { readonly value: T } | { readonly fault: Fault }

/** What the page asks Node. `open` gives the number of a stream. */
export interface NodeSide {
  open(source: number, o: { readonly offset?: number; readonly end?: number }): Promise<Outcome<number>>
  /** The next chunk in base64; null at the end. */
  pull(stream: number): Promise<Outcome<string | null>>
  cancel(stream: number): Promise<Outcome<null>>
  /** The signal that the stream was opened with has aborted. */
  abortSource(stream: number): Promise<Outcome<null>>
  unchanged(source: number): Promise<Outcome<boolean>>
  progress(call: number, accepted: number, total: number | null): Promise<Outcome<null>>
}

/** What Node asks the page. */
export interface PageSide {
  connect(place: Place): Promise<Outcome<number>>
  call(message: CallMessage): Promise<Outcome<unknown>>
  abort(call: number): Promise<Outcome<null>>
  pull(call: number): Promise<Outcome<string | null>>
  cancel(call: number): Promise<Outcome<null>>
}

export async function outcomeOf<T>(
  work: () => Promise<T>,
  faultOf: (error: unknown) => Fault,
): Promise<Outcome<T>> {
  try {
    return { value: await work() }
  } catch (error) {
    return { fault: faultOf(error) }
  }
}

export function encode(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.byteLength; at += 0x2000) {
    text += String.fromCharCode(...bytes.subarray(at, at + 0x2000))
  }
  return btoa(text)
}

export function decode(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64)
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i)
  return bytes
}
