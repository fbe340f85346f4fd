import { randomUUID } from 'node:crypto'
import { extname } from 'node:path'
import {
  type ArtifactDraft,
  type ArtifactRecord,
  type ArtifactStore,
  abortable,
  IvcapError,
  isIvcapError,
  type OpOptions,
  progressOf,
  resolveRange,
  type Urn,
} from '@ivcap/core/driver'
import { artifactAspect, type Clock, COLLECTION_ITEM_SCHEMA, collectionItem } from '@ivcap/core/internal'
import type { AspectRecords } from '../aspects/records.js'
import type { Bases } from '../bases.js'
import { explainedIn } from '../fs/explained-in.js'
import { explained } from '../fs/fs-error.js'
import type { LeftOuts } from '../fs/left-outs.js'
import {
  errnoOf,
  etagOf,
  hostFs,
  type LocalFs,
  type LocalStat,
  orAbsent,
  whenFilesAreFree,
} from '../fs/local-fs.js'
import { moveTo } from '../fs/move-to.js'
import type { OwnFolder } from '../fs/own-folder.js'
import { readPinned } from '../fs/pinned-file.js'
import { type Staging, stamp } from '../fs/staging.js'
import type { AspectIndex } from '../index/aspect-index.js'
import { writeContent } from './content.js'
import { ArtifactListings } from './listing.js'
import { outputName } from './names.js'
import type { ArtifactPath, ArtifactPaths } from './paths.js'
import { type ArtifactRecords, derivedRecord } from './records.js'

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
  readonly bases: Bases
  readonly own: OwnFolder
  readonly leftOuts: LeftOuts
  /** Awaited before anything else. */
  readonly open: () => Promise<void>
}

/** Files in the folder as artifacts. The client has checked and completed what comes here. */
export function artifactStore(parts: ArtifactParts): ArtifactStore {
  const { fs, paths, records, leftOuts, bases, index, open } = parts
  const listings = new ArtifactListings(parts)
  const isKnown = (id: string) => index.table.rows({ entity: bases.current(id) }).length > 0

  /** `repeatable`: may run again, after a failure that has left nothing. */
  async function run<T>(doing: string, o: OpOptions, work: () => Promise<T>, repeatable = true): Promise<T> {
    o.signal?.throwIfAborted()
    await abortable(open(), o.signal)
    o.signal?.throwIfAborted()
    const told = () => leftOuts.during(o, () => explainedIn(paths.dir, doing, work))
    return await (repeatable ? whenFilesAreFree(fs, told, o) : told())
  }

  async function find(id: Urn): Promise<{ path: ArtifactPath; stat: LocalStat; record: ArtifactRecord }> {
    await index.refresh()
    const path = await paths.ofId(id, { bases, isKnown })
    const stat = path === undefined ? undefined : await orAbsent(fs.lstat(path.path, { bigint: true }))
    if (path === undefined || !stat?.isFile()) {
      throw new IvcapError('not-found', `there is no artifact ${id} in ${paths.dir}`, { resource: id })
    }
    paths.handOut(path.id)
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
          const name = draft.name ?? unnamed(source.native)
          const path = await paths.ofName(name)
          await parts.own.ensure()
          const progress = progressOf(o, source.size)
          let sha256: string | undefined
          const record = await parts.staging.with(
            async (staged) => {
              sha256 = await writeContent(fs, staged, source, { ...parts, ...o, report: progress.report })
              await stamp(fs, staged, parts.clock())
            },
            (staged) =>
              draft.job === undefined
                ? commit(parts, staged, { path, draft, sha256, name: path.name }, o)
                : commitOutput(parts, staged, { draft, sha256, name, job: draft.job }, o),
          )
          paths.handOut(record.id)
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

    list: (q, o) => run('list artifacts', o, () => listings.page(q, o)),

    contains: (id) => paths.contains(id, bases),

    // elsewhere a path means nothing to this machine's programs
    ...(fs === hostFs && {
      localPath: (id: Urn) =>
        run('look up an artifact', {}, async () => {
          await index.refresh()
          return (await paths.ofId(id, { bases, isKnown }))?.path
        }),
    }),
  }
}

/** What is committed. */
interface Upload {
  readonly path: ArtifactPath
  readonly draft: ArtifactDraft
  readonly sha256: string | undefined
  /** In its record. */
  readonly name: string
  /** Fails with `TAKEN` where something is there already, instead of taking its place. */
  readonly exclusive?: boolean
}

const TAKEN = Symbol('taken')

/** Below a folder of the job's own: whatever other jobs, or others of its outputs, are called, nothing is replaced. */
async function commitOutput(
  parts: ArtifactParts,
  staged: string,
  { job, ...upload }: Omit<Upload, 'path'> & { readonly job: Urn },
  o: OpOptions,
): Promise<ArtifactRecord> {
  for (let n = 0; ; n++) {
    const path = await parts.paths.ofName(outputName(job, upload.name, n))
    if ((await orAbsent(parts.fs.lstat(path.path, { bigint: true }))) !== undefined) continue
    try {
      return await commit(parts, staged, { ...upload, path, exclusive: true }, o)
    } catch (e) {
      if (e !== TAKEN) throw e
    }
  }
}

/** Puts the file and its record in place together: should the record fail, the file goes, or makes way for the one before. */
async function commit(
  parts: ArtifactParts,
  staged: string,
  { path, draft, sha256, name, exclusive = false }: Upload,
  o: OpOptions,
): Promise<ArtifactRecord> {
  const { fs, fsync, aspects } = parts
  const stat = await fs.lstat(staged, { bigint: true })
  const record: ArtifactRecord = {
    ...derivedRecord(path, stat),
    name,
    mimeType: draft.mimeType,
    ...(draft.policy && { policy: draft.policy }),
    ...(sha256 !== undefined && { sha256 }),
  }
  const place = async () => {
    const isPlaced = await moveTo(fs, staged, path.path, { exclusive, fsync }).catch((e: unknown) => {
      // without hard links nothing is exclusive: that the name was free a moment ago must do
      if (exclusive && isIvcapError(e, 'unsupported'))
        return moveTo(fs, staged, path.path, { exclusive: false, fsync })
      throw e
    })
    if (!isPlaced) throw TAKEN
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
            await explained('put the artifact in its place', path.path, 'name', place)
            await placeRecords()
          } catch (e) {
            // should this fail too, the first failure is still the one to tell
            if (e !== TAKEN) await putBack(fs, path.path, stat, backup).catch(() => {})
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
