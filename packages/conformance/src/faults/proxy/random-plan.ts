import type { Fault, Plan, Seen } from './fault.js'

export interface RandomPlanOptions {
  /** Probability that a request gets a fault, from 0 to 1. */
  readonly rate: number
  /** Responses by which this server refuses a request temporarily, e.g. 429 or 503. */
  readonly refusals: readonly (Fault & { readonly kind: 'status' })[]
  /** Faults that only this server has. @default none */
  readonly others?: readonly Fault[]
  /** Returns true if the client detects a flipped bit in this response, e.g. by a digest. @default never */
  readonly verified?: (seen: Seen) => boolean
  /** Returns true if the server detects a flipped bit in this request's body. @default never */
  readonly checked?: (seen: Seen) => boolean
  /**
   * Returns true if this request creates another record each time it arrives, and clients may send it again if it seems lost. It is
   * only delayed by a few milliseconds, since a client can't distinguish a late request from a lost one. @default never
   */
  readonly unrepeatable?: (seen: Seen) => boolean
  /** Returns a page without items whose next page is `token`, if this request asks for a page. @default none */
  readonly emptyPage?: (seen: Seen, token: string) => string | undefined
}

/** Methods that an intermediary may repeat: RFC 9110, 9.2.2. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'PUT', 'DELETE'])
/** Milliseconds. */
const LATE = 30
/** Milliseconds. By then, most clients have repeated their request, and many have continued. */
const MUCH_LATER = 300

/** Returns a plan of random faults of networks, intermediaries and servers. `random` decides which requests get one. */
export function randomPlan(
  random: () => number,
  {
    rate,
    refusals,
    others = [],
    verified = () => false,
    checked = () => false,
    unrepeatable = () => false,
    emptyPage = () => undefined,
  }: RandomPlanOptions,
): Plan {
  const below = (bound: number) => Math.floor(random() * bound)
  return (seen) => {
    if (random() >= rate) return undefined
    const bodiless = seen.method === 'HEAD'
    const page = (token: string) => emptyPage(seen, token) ?? ''
    const isPage = emptyPage(seen, '') !== undefined
    const faults: readonly Fault[] = [
      { kind: 'delay', ms: below(LATE) },
      { kind: 'overtaken', ms: LATE },
      { kind: 'reset', after: below(50_000) },
      { kind: 'lose-answer' },
      { kind: 'late', ms: below(LATE) },
      { kind: 'late', ms: below(unrepeatable(seen) ? LATE : MUCH_LATER) },
      { kind: 'close' },
      ...(IDEMPOTENT.has(seen.method) ? [{ kind: 'twice' } as const] : []),
      ...(bodiless ? [] : [{ kind: 'cut-answer', after: below(200), how: 'reset' } as const]),
      ...(bodiless ? [] : [{ kind: 'cut-answer', after: below(2_000), how: 'end' } as const]),
      ...(checked(seen) ? [{ kind: 'flip-sent', at: below(50_000) } as const] : []),
      ...(verified(seen) ? [{ kind: 'flip', at: below(1_000) } as const] : []),
      ...(isPage ? [{ kind: 'empty-page', page } as const] : []),
      ...refusals,
      ...others,
    ]
    return faults[below(faults.length)]
  }
}
