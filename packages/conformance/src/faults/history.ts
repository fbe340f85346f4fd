import type { Urn } from '@ivcap/core/driver'

export interface Asserted {
  readonly n: number
  readonly entity: string
  readonly schema: string
}

/** The next action of a writer, or its outcome. Plain JSON, so that one process can send it to another. */
export type Event =
  | { readonly kind: 'uploading'; readonly n: number }
  | { readonly kind: 'uploaded'; readonly n: number; readonly id: Urn }
  | ({ readonly kind: 'asserting' } & Asserted)
  | ({ readonly kind: 'asserted'; readonly id: Urn } & Asserted)
  | { readonly kind: 'retracting'; readonly id: Urn }
  | { readonly kind: 'retracted'; readonly id: Urn }
  /** A call failed, but may have taken effect. */
  | { readonly kind: 'in doubt' }
  | { readonly kind: 'wrong'; readonly problem: string }

/** The actions that writers tried, and which of them were acknowledged. */
export class History {
  /** Numbers of the uploads that were tried. */
  readonly uploads = new Set<number>()
  readonly assertions = new Map<number, Asserted>()
  /** Ids of the aspects whose retraction was tried. */
  readonly retractions = new Set<Urn>()
  /** Numbers of the acknowledged uploads, by artifact id. */
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
