import type { Fault, Plan, Seen } from './fault.js'

export interface RandomPlanOptions {
  /** How many of the requests go wrong, from 0 to 1. */
  readonly rate: number
  /** How this server says no for a while: with 429 or 503, say. */
  readonly refusals: readonly (Fault & { readonly kind: 'status' })[]
  /** Faults of this server alone. Default: none. */
  readonly others?: readonly Fault[]
  /** Whether the client learns that a bit of this answer was flipped: by a digest, say. Default: never. */
  readonly verified?: (seen: Seen) => boolean
  /** Whether the server learns that a bit of this request's body was flipped. Default: never. */
  readonly checked?: (seen: Seen) => boolean
  /**
   * Whether this request makes another record each time it comes, and may be sent again when it seems lost: it comes late by a few
   * milliseconds alone, as no client can tell a request that is yet to come from one that never will. Default: none does.
   */
  readonly unrepeatable?: (seen: Seen) => boolean
  /** A page without items that leads to the page `token`, where this request asks for a page. Default: nothing does. */
  readonly emptyPage?: (seen: Seen, token: string) => string | undefined
}

/** What a machine on the way may repeat: RFC 9110, 9.2.2. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'PUT', 'DELETE'])
/** Milliseconds. */
const LATE = 30
/** Milliseconds: most clients have repeated their request by then, and many have gone on. */
const MUCH_LATER = 300

/** Does at random what networks, machines on the way and servers do; `random` decides to which requests. */
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
