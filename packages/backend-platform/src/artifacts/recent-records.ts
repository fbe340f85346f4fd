import type { Urn } from '@ivcap/core/driver'
import type { ArtifactAnswer } from '@ivcap/core/internal'

/** Milliseconds for which a fetched record may save the next read its own request. */
const MAX_AGE_MS = 5_000
const MAX_RECORDS = 64

/**
 * The records that were just fetched, each for one read: code that gets an artifact and then reads it does not wait for the same record
 * twice. Only records of ready artifacts with an etag are kept: the etag tells at once if the content was replaced meanwhile.
 */
export class RecentRecords {
  readonly #records = new Map<Urn, { readonly answer: ArtifactAnswer; readonly at: number }>()

  add(answer: ArtifactAnswer): void {
    const { record, dataHref } = answer
    this.#records.delete(record.id)
    if (record.status !== 'ready' || record.etag === undefined || dataHref === undefined) return
    this.#records.set(record.id, { answer, at: performance.now() })
    if (this.#records.size <= MAX_RECORDS) return
    for (const oldest of this.#records.keys()) {
      this.#records.delete(oldest)
      return
    }
  }

  /** Returns the record, and forgets it: a read that is repeated fetches the record again. */
  take(id: Urn): ArtifactAnswer | undefined {
    const recent = this.#records.get(id)
    this.#records.delete(id)
    return recent !== undefined && performance.now() - recent.at <= MAX_AGE_MS ? recent.answer : undefined
  }
}
