import { join } from 'node:path'
import {
  type ArtifactOrderField,
  type ArtifactQuery,
  type ArtifactRecord,
  artifactFilter,
  artifactOrder,
  type Clock,
  decodeCursor,
  encodeCursor,
  fileUrn,
  type OpOptions,
  type Page,
  pageOf,
  type Timestamp,
  timestamp,
  WorkBudget,
} from '@ivcap/core/driver'
import { isArtifactPath } from './artifact-names.js'
import type { ArtifactPath, ArtifactPaths } from './artifact-paths.js'
import { type ArtifactRecords, derivedRecord } from './artifact-records.js'
import type { AspectIndex } from './aspect-index.js'
import { entriesOf, type LocalFs, type LocalStat, orAbsent } from './local-fs.js'

/** What a file tells without its record. */
const DERIVED: readonly ArtifactOrderField[] = [
  'id',
  'name',
  'status',
  'size',
  'created_at',
  'last_modified_at',
]
/** Files looked at a time. */
const WIDTH = 16

interface Listed {
  readonly path: ArtifactPath
  readonly stat: LocalStat
  readonly record: ArtifactRecord
}

/**
 * One page of the files in the folder, theirs and ours. Each is looked at, no more than a page is held. Symbolic links are left
 * out: what they lead to is either listed itself, or outside.
 */
export async function listArtifacts(
  q: ArtifactQuery,
  o: OpOptions,
  parts: { fs: LocalFs; paths: ArtifactPaths; records: ArtifactRecords; index: AspectIndex; clock: Clock },
): Promise<Page<ArtifactRecord>> {
  const fits = q.filter === undefined ? undefined : artifactFilter(q.filter)
  const budget = new WorkBudget({ signal: o.signal })
  const { fs, paths, records, index, clock } = parts
  const { fields, keyOf } = artifactOrder(q.orderBy)
  const direction = q.orderDesc ? 'DESC' : 'ASC'
  const query = { filter: q.filter, fields, direction, atTime: q.atTime }
  const position = q.cursor === undefined ? undefined : decodeCursor(query, q.cursor)
  const at = q.atTime ?? position?.atTime
  const told = fits === undefined && fields.every((field) => DERIVED.includes(field))
  let newest = timestamp(clock())
  await index.refresh()

  async function* listed(): AsyncGenerator<Listed> {
    for await (const { path, stat } of filesBelow(fs, await paths.root(), o)) {
      const derived = derivedRecord(path, stat)
      const createdAt = derived.createdAt ?? newest
      if (at === undefined && createdAt > newest) newest = createdAt
      const then = at === undefined || createdAt <= at ? createdAt : await createdBefore(path, at, records)
      if (then === undefined) continue
      const record = told ? derived : await records.of(path, stat)
      // in its place as of then, so that a page after it was replaced neither misses nor repeats it
      const placed = then === createdAt ? record : { ...record, createdAt: then, lastModifiedAt: then }
      if (fits === undefined || (await fits(placed, budget))) yield { path, stat, record: placed }
    }
  }

  const slice = { direction, limit: q.limit, ...(position && { after: position.after }) } as const
  const page = await pageOf(listed(), (item) => keyOf(item.record), slice)
  const items = await Promise.all(page.items.map(({ path, stat }) => records.of(path, stat)))
  return {
    items,
    ...(page.last && { cursor: encodeCursor(query, { atTime: at ?? newest, after: page.last }) }),
  }
}

/** A file that is younger than `at` may have replaced one that was there then. */
async function createdBefore(path: ArtifactPath, at: Timestamp, records: ArtifactRecords) {
  const before = await records.recorded(path, at)
  return before?.createdAt
}

async function* filesBelow(
  fs: LocalFs,
  root: string,
  { signal }: OpOptions,
): AsyncGenerator<{ path: ArtifactPath; stat: LocalStat }> {
  const folders: string[][] = [[]]
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    signal?.throwIfAborted()
    const names: string[] = []
    for (const { name, kind } of await entriesOf(fs, join(root, ...folder))) {
      const segments = [...folder, name]
      if (!isArtifactPath(segments)) continue
      if (kind === 'folder') folders.push(segments)
      if (kind === 'file') names.push(name)
    }
    for (let i = 0; i < names.length; i += WIDTH) {
      signal?.throwIfAborted()
      const found = await Promise.all(
        names.slice(i, i + WIDTH).map(async (name) => {
          const path = join(root, ...folder, name)
          const stat = await orAbsent(fs.lstat(path, { bigint: true }))
          return { path: { id: fileUrn(path), path, name: [...folder, name].join('/') }, stat }
        }),
      )
      for (const { path, stat } of found) if (stat?.isFile()) yield { path, stat }
    }
  }
}
