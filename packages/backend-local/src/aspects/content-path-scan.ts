import { type AspectQuery, aspectUrn, type OpOptions } from '@ivcap/core/driver'
import { type AspectTest, aspectSelector } from '@ivcap/core/internal'
import type { AspectIndex } from '../index/aspect-index.js'
import type { Entry } from '../index/facts.js'

/** After this many records were read from their own files and rejected, the file of contents is read. */
const FIRST = 64
/** Content paths whose results are remembered. */
const PATHS = 4

/** Entries that a content path rejects, with the version of the file on which the path was evaluated. */
type Rejected = Map<Entry, number>

/** Caches the results of the most recently used content paths, so that all pages of a listing read the contents once. */
export class ContentPathResults {
  readonly #byPath = new Map<string, Rejected>()

  of(contentPath: string): Rejected {
    const rejected = this.#byPath.get(contentPath) ?? new Map()
    this.#byPath.delete(contentPath)
    this.#byPath.set(contentPath, rejected)
    const [oldest] = this.#byPath.keys()
    if (this.#byPath.size > PATHS && oldest !== undefined) this.#byPath.delete(oldest)
    return rejected
  }
}

/**
 * Finds out which records a content path rejects without opening the file of each record: it reads the file of contents in order.
 * Only rejections are taken from there. For each record that a listing returns, the path is evaluated on the record's own file.
 */
export class ContentPathScan {
  readonly #index: AspectIndex
  readonly #test: AspectTest
  readonly #rejected: Rejected
  #misses = 0

  constructor(
    index: AspectIndex,
    results: ContentPathResults,
    { contentPath = '' }: Pick<AspectQuery, 'contentPath'>,
    o: OpOptions,
  ) {
    this.#index = index
    this.#test = aspectSelector({ contentPath }, o) ?? (async () => true)
    this.#rejected = results.of(contentPath)
  }

  rejects(entry: Entry): boolean {
    return this.#rejected.get(entry) === entry.changed
  }

  /** Counts a record that was read from its own file and rejected. */
  async countMiss(candidates: readonly Entry[]): Promise<void> {
    if (++this.#misses !== FIRST) return
    const wanted = new Set(candidates.filter((entry) => !this.rejects(entry)))
    for await (const [entry, content] of this.#index.contents((other) => wanted.delete(other))) {
      const { entity, schema, changed } = entry
      if (!(await this.#test({ id: aspectUrn(entry.uuid), entity, schema, content })))
        this.#rejected.set(entry, changed)
    }
    // these have no stored content: it is read from their own files, and then stored
    for (const entry of wanted) this.#index.missContent(entry)
  }
}
