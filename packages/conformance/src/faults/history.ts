import type { Urn } from '@ivcap/core/driver'

export interface Asserted {
  readonly n: number
  readonly entity: string
  readonly schema: string
}

/** What a writer is about to do, or the outcome; plain JSON, so that a process can send it to another. */
export type Event =
  | { readonly kind: 'uploading'; readonly n: number }
  | { readonly kind: 'uploaded'; readonly n: number; readonly id: Urn }
  | ({ readonly kind: 'asserting' } & Asserted)
  | ({ readonly kind: 'asserted'; readonly id: Urn } & Asserted)
  | { readonly kind: 'retracting'; readonly id: Urn }
  | { readonly kind: 'retracted'; readonly id: Urn }
  /** A call failed; what it was to do may be done. */
  | { readonly kind: 'in doubt' }
  | { readonly kind: 'wrong'; readonly problem: string }

/** What writers tried, and which of it was acknowledged. */
export class History {
  /** Numbers of all that was tried. */
  readonly uploads = new Set<number>()
  readonly assertions = new Map<number, Asserted>()
  /** Ids of the retractions that were tried. */
  readonly retractions = new Set<Urn>()
  /** What succeeded. */
  readonly artifacts = new Map<Urn, number>()
  readonly aspects = new Map<Urn, Asserted>()
  readonly retracted = new Set<Urn>()
  readonly problems: string[] = []
  inDoubt = 0

  get acknowledged(): number {
    return this.artifacts.size + this.aspects.size + this.retracted.size
  }

  record(event: Event): void {
    switch (event.kind) {
      case 'uploading':
        return void this.uploads.add(event.n)
      case 'uploaded':
        return void this.artifacts.set(event.id, event.n)
      case 'asserting':
        return void this.assertions.set(event.n, event)
      case 'asserted':
        return void this.aspects.set(event.id, event)
      case 'retracting':
        return void this.retractions.add(event.id)
      case 'retracted':
        return void this.retracted.add(event.id)
      case 'in doubt':
        this.inDoubt++
        return
      case 'wrong':
        this.problems.push(event.problem)
    }
  }
}
