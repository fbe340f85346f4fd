import { type ArtifactRecord, type Timestamp, timestamp } from '@ivcap/core/driver'
import { ARTIFACT_SCHEMAS, artifactOf, inForce, mimeOf } from '@ivcap/core/internal'
import type { AspectRecords } from '../aspects/records.js'
import { etagOf, type LocalStat, modifiedNs } from '../fs/local-fs.js'
import type { AspectIndex } from '../index/aspect-index.js'
import { mayBeOutput } from './names.js'
import type { ArtifactPath } from './paths.js'

/** When the file was last written, to the microsecond. Records store it, to detect that the file has changed since. */
const modifiedAt = (stat: LocalStat): Timestamp => timestamp(Number((modifiedNs(stat) + 500n) / 1000n))

/** The record derived from the file alone. */
export function derivedRecord({ id, name }: ArtifactPath, stat: LocalStat): ArtifactRecord {
  const written = modifiedAt(stat)
  return {
    id,
    name,
    status: 'ready',
    size: Number(stat.size),
    mimeType: mimeOf(name) ?? 'application/octet-stream',
    etag: etagOf(stat),
    createdAt: written,
    lastModifiedAt: written,
  }
}

/** Combines the metadata of files with the records of their uploads. */
export class ArtifactRecords {
  readonly #index: AspectIndex
  readonly #aspects: AspectRecords

  constructor(index: AspectIndex, aspects: AspectRecords) {
    this.#index = index
    this.#aspects = aspects
  }

  /** Uses the stored record only if the file still has its size and time: another program may have rewritten the file. */
  async of(path: ArtifactPath, stat: LocalStat): Promise<ArtifactRecord> {
    const derived = derivedRecord(path, stat)
    const stored = await this.recorded(path)
    if (stored === undefined) return derived
    if (stored.size !== derived.size || stored.lastModifiedAt !== derived.lastModifiedAt) return derived
    const { location: _, ...claims } = stored
    const name = mayBeOutput(path.name) ? (stored.name ?? path.name) : path.name
    return { ...claims, id: path.id, name, etag: etagOf(stat) }
  }

  /** The record in force, now or at a time. The index must be up to date. */
  async recorded({ id }: ArtifactPath, at?: Timestamp) {
    const entries = this.#index.table.of({ entity: id })
    for (const { uuid, schema, validTo } of [...entries].reverse()) {
      if (!ARTIFACT_SCHEMAS.some((known) => known === schema)) continue
      if (at === undefined && validTo !== undefined) continue
      const aspect = await this.#aspects.load(uuid)
      if (aspect?.content !== undefined && inForce(aspect, at)) return artifactOf(id, aspect.content)
    }
    return undefined
  }
}
