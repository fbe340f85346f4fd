import { randomUUID } from 'node:crypto'
import { extname } from 'node:path'
import {
  type ArtifactDraft,
  type ArtifactRecord,
  type ArtifactStore,
  artifactAspect,
  type Clock,
  COLLECTION_ITEM_SCHEMA,
  collectionItem,
  IvcapError,
  type OpOptions,
  progressOf,
  resolveRange,
  type Urn,
} from '@ivcap/core/driver'
import { writeContent } from './artifact-content.js'
import { listArtifacts } from './artifact-listing.js'
import type { ArtifactPath, ArtifactPaths } from './artifact-paths.js'
import { type ArtifactRecords, derivedRecord } from './artifact-records.js'
import type { AspectIndex } from './aspect-index.js'
import type { AspectRecords } from './aspect-records.js'
import { explained } from './fs-error.js'
import {
  errnoOf,
  etagOf,
  hostFs,
  type LocalFs,
  type LocalStat,
  orAbsent,
  whenFilesAreFree,
} from './local-fs.js'
import { readPinned } from './pinned-file.js'
import { moveTo } from './placing.js'
import { type Staging, stamp } from './staging.js'

export interface ArtifactParts {
  readonly fs: LocalFs
  readonly fsync: boolean
  readonly digest: boolean
  readonly clock: Clock
  readonly paths: ArtifactPaths
  readonly staging: Staging
  readonly index: AspectIndex
  readonly aspects: AspectRecords
  readonly records: ArtifactRecords
  /** Awaited before anything else. */
  readonly open: () => Promise<void>
}

/** Files in the folder as artifacts. The client has checked and completed what comes here. */
export function artifactStore(parts: ArtifactParts): ArtifactStore {
  const { fs, paths, records, open } = parts

  /** `repeatable`: may run again, after a failure that has left nothing. */
  async function run<T>(doing: string, o: OpOptions, work: () => Promise<T>, repeatable = true): Promise<T> {
    o.signal?.throwIfAborted()
    await open()
    o.signal?.throwIfAborted()
    const explainedWork = () => explained(doing, paths.dir, 'baseDir', work)
    return await (repeatable ? whenFilesAreFree(fs, explainedWork, o) : explainedWork())
  }

  async function find(id: Urn): Promise<{ path: ArtifactPath; stat: LocalStat; record: ArtifactRecord }> {
    const path = await paths.ofId(id)
    const stat = path === undefined ? undefined : await orAbsent(fs.lstat(path.path, { bigint: true }))
    if (path === undefined || !stat?.isFile()) {
      throw new IvcapError('not-found', `there is no artifact ${id} in ${paths.dir}`, { resource: id })
    }
    await parts.index.refresh()
    return { path, stat, record: await records.of(path, stat) }
  }

  return {
    name: 'local',
    location: `file://${paths.dir}`,
    remembersUploads: false,

    create: (source, draft, o) =>
      run(
        'store an artifact',
        o,
        async () => {
          if (draft.id !== undefined) {
            const message = 'in the local folder an id is the path of a file: give a name instead of an id'
            throw new IvcapError('unsupported', message, { argument: 'id' })
          }
          const path = await paths.ofName(draft.name ?? unnamed(source.native))
          const progress = progressOf(o, source.size)
          let sha256: string | undefined
          const record = await parts.staging.with(
            async (staged) => {
              sha256 = await writeContent(fs, staged, source, { ...parts, ...o, report: progress.report })
              await stamp(fs, staged, parts.clock())
            },
            (staged) => commit(parts, staged, path, draft, sha256, o),
          )
          progress.finish(record.size ?? 0)
          return record
        },
        source.replayable,
      ),

    stat: (id, o) => run('look up an artifact', o, async () => (await find(id)).record),

    read: (id, o) =>
      run('read an artifact', o, async () => {
        const { path, stat, record } = await find(id)
        const etag = etagOf(stat)
        if (o.ifMatch !== undefined && o.ifMatch !== etag) {
          throw new IvcapError('precondition-failed', `${id} has changed: its etag is ${etag}`, {
            resource: id,
          })
        }
        const range = resolveRange(o.range, Number(stat.size))
        return { record, range, body: readPinned(fs, path.path, etag, range, o) }
      }),

    list: (q, o) => run('list artifacts', o, () => listArtifacts(q, o, parts)),

    owns: (id) => paths.owns(id),

    // elsewhere a path means nothing to this machine's programs
    ...(fs === hostFs && {
      localPath: (id: Urn) => run('look up an artifact', {}, async () => (await paths.ofId(id))?.path),
    }),
  }
}

/** Puts the file and its record in place together: should the record fail, the file goes, or makes way for the one before. */
async function commit(
  parts: ArtifactParts,
  staged: string,
  path: ArtifactPath,
  draft: ArtifactDraft,
  sha256: string | undefined,
  o: OpOptions,
): Promise<ArtifactRecord> {
  const { fs, aspects } = parts
  const stat = await fs.lstat(staged, { bigint: true })
  const record: ArtifactRecord = {
    ...derivedRecord(path, stat),
    mimeType: draft.mimeType,
    ...(draft.policy && { policy: draft.policy }),
    ...(sha256 !== undefined && { sha256 }),
  }
  const item = collectionItem(draft, path.id)
  const isNew = item !== undefined && !(await isMember(parts, item.entity, path.id))
  await aspects.update(artifactAspect(record), o, {
    also: isNew ? [item] : [],
    around: (placeRecords) => {
      o.signal?.throwIfAborted()
      return parts.staging.with(
        (backup) => keep(fs, path.path, backup),
        async (backup) => {
          try {
            await explained('put the artifact in its place', path.path, 'name', () =>
              moveTo(fs, staged, path.path, { exclusive: false, fsync: parts.fsync }),
            )
            await placeRecords()
          } catch (e) {
            // should this fail too, the first failure is still the one to tell
            await putBack(fs, path.path, stat, backup).catch(() => {})
            throw e
          }
        },
      )
    },
  })
  return record
}

/** A second name for what is about to be replaced. Where a file system has no such thing, there is no way back. */
async function keep(fs: LocalFs, path: string, backup: string): Promise<void> {
  await fs.link(path, backup).catch((e: unknown) => {
    if (!NO_LINK.includes(errnoOf(e) ?? '')) throw e
  })
}
const NO_LINK = ['ENOENT', 'ENOTDIR', 'EPERM', 'EISDIR', 'ENOTSUP', 'ENOSYS', 'EMLINK']

/** Undoes a replacement, unless another program has replaced it again. */
async function putBack(fs: LocalFs, path: string, made: LocalStat, backup: string): Promise<void> {
  const now = await orAbsent(fs.lstat(path, { bigint: true }))
  if (now === undefined || etagOf(now) !== etagOf(made)) return
  await fs.rename(backup, path).catch(() => fs.unlink(path))
}

async function isMember(parts: ArtifactParts, collection: string, artifact: Urn): Promise<boolean> {
  await parts.index.refresh()
  const { table } = parts.index
  // a new file can't be a member yet, whatever the size of the collection
  if (table.rows({ entity: artifact }).length === 0) return false
  const isItem = (row: number) =>
    table.isAlive(row) && table.isOpen(row) && table.schema(row) === COLLECTION_ITEM_SCHEMA
  for (const row of table.rows({ entity: collection }).filter(isItem)) {
    const found = await parts.aspects.load(table.uuid(row))
    if (found?.validTo === undefined && found?.content?.['item'] === artifact) return true
  }
  return false
}

function unnamed(native: { readonly kind: string; readonly path?: string } | undefined): string {
  const extension = native?.path === undefined ? '' : extname(native.path)
  // an extension with blanks or other oddities is none
  return randomUUID() + (/^\.[\w-]{1,20}$/.test(extension) ? extension : '')
}
