import { type ArtifactRecord, type Timestamp, timestamp } from '@ivcap/core/driver'
import { ARTIFACT_SCHEMAS, artifactOf, inForce, mimeOf } from '@ivcap/core/internal'
import type { AspectRecords } from '../aspects/records.js'
import { etagOf, type LocalStat, modifiedNs } from '../fs/local-fs.js'
import type { AspectIndex } from '../index/aspect-index.js'
import { mayBeOutput } from './names.js'
import type { ArtifactPath } from './paths.js'

/** When the file was last written, to the microsecond: what a record keeps, so that it can tell whether it still fits. */
const modifiedAt = (stat: LocalStat): Timestamp => timestamp(Number((modifiedNs(stat) + 500n) / 1000n))

/** What a file tells of itself. */
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

/** Joins what files tell of themselves with what was recorded when they were uploaded. */
export class ArtifactRecords {
  readonly #index: AspectIndex
  readonly #aspects: AspectRecords

  constructor(index: AspectIndex, aspects: AspectRecords) {
    this.#index = index
    this.#aspects = aspects
  }

  /** A record counts while the file is as it left it; another program's bytes get none of its claims. */
  async of(path: ArtifactPath, stat: LocalStat): Promise<ArtifactRecord> {
    const derived = derivedRecord(path, stat)
    const noted = await this.recorded(path)
    if (noted === undefined) return derived
    if (noted.size !== derived.size || noted.lastModifiedAt !== derived.lastModifiedAt) return derived
    const { location: _, ...claims } = noted
    const name = mayBeOutput(path.name) ? (noted.name ?? path.name) : path.name
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
