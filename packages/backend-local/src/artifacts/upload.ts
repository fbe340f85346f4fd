import { randomUUID } from 'node:crypto'
import { extname } from 'node:path'
import {
  type ArtifactDraft,
  type ArtifactRecord,
  type ByteSource,
  IvcapError,
  isIvcapError,
  type OpOptions,
  progressOf,
  type TransferOptions,
  type Urn,
} from '@ivcap/core/driver'
import {
  artifactAspect,
  type Clock,
  COLLECTION_ITEM_SCHEMA,
  collectionItem,
  copyFile,
  withDigest,
} from '@ivcap/core/internal'
import type { AspectRecords, CommitStep } from '../aspects/records.js'
import { withFsErrors } from '../fs/fs-error.js'
import { errnoOf, etagOf, hostFs, type LocalFs, type LocalStat, lstatIfThere } from '../fs/local-fs.js'
import { moveTo } from '../fs/move-to.js'
import type { OwnFolder } from '../fs/own-folder.js'
import { type Staging, stamp, syncPath, type Written, writeSource } from '../fs/staging.js'
import type { AspectIndex } from '../index/aspect-index.js'
import { outputName } from './names.js'
import type { ArtifactPath, ArtifactPaths } from './paths.js'
import { derivedRecord } from './records.js'

interface UploadContext {
  readonly fs: LocalFs
  readonly fsync: boolean
  readonly digest: boolean
  readonly clock: Clock
  readonly paths: ArtifactPaths
  readonly staging: Staging
  readonly index: AspectIndex
  readonly aspects: AspectRecords
  readonly own: OwnFolder
}

/** Writes the content to a staged file, then commits that file together with its record. */
export async function upload(
  context: UploadContext,
  source: ByteSource,
  draft: ArtifactDraft,
  o: OpOptions & TransferOptions,
): Promise<ArtifactRecord> {
  const { fs, paths, staging } = context
  if (draft.id !== undefined) {
    const message = 'in the local folder an id is the path of a file: give a name instead of an id'
    throw new IvcapError('unsupported', message, { argument: 'id' })
  }
  const name = draft.name ?? defaultName(source.native)
  const path = await paths.ofName(name)
  await context.own.ensure()
  const progress = progressOf(o, source.size)
  const staged = await staging.create()
  try {
    const sha256 = await writeContent(fs, staged, source, { ...context, ...o, report: progress.report })
    await stamp(fs, staged, context.clock())
    const stat = await fs.lstat(staged, { bigint: true })
    const content = { staged, stat, draft, sha256 }
    const record =
      draft.job === undefined
        ? await commit(context, content, { path, name: path.name, exclusive: false }, o)
        : await commitOutput(context, content, { job: draft.job, name }, o)
    paths.handOut(record.id)
    progress.finish(record.size ?? 0)
    return record
  } finally {
    await staging.discard(staged)
  }
}

/**
 * Writes the bytes of the source to a file. Returns their SHA-256 if this process read them, or if `digest` is set. A copy of a
 * file on this machine shares its blocks with the original if the file system supports that.
 */
async function writeContent(
  fs: LocalFs,
  path: string,
  source: ByteSource,
  o: OpOptions & Written & { readonly digest: boolean },
): Promise<string | undefined> {
  if (source.native?.kind === 'file' && fs === hostFs) {
    const { sha256 } = await copyFile(source, source.native.path, path, o)
    if (o.fsync) await syncPath(fs, path)
    return sha256
  }
  const hashed = withDigest(source)
  await writeSource(fs, path, hashed.source, o)
  return hashed.sha256()
}

/** A staged file whose content is complete. */
interface StagedContent {
  readonly staged: string
  readonly stat: LocalStat
  readonly draft: ArtifactDraft
  readonly sha256: string | undefined
}

interface Target {
  readonly path: ArtifactPath
  /** The name in the record. */
  readonly name: string
  /** Fails with `TAKEN` if the path exists, instead of replacing the file. */
  readonly exclusive: boolean
}

const TAKEN = Symbol('taken')

/** Stores an output in the folder of its job. It never replaces a file: if the name exists, a number is appended. */
async function commitOutput(
  context: UploadContext,
  content: StagedContent,
  { job, name }: { readonly job: Urn; readonly name: string },
  o: OpOptions,
): Promise<ArtifactRecord> {
  for (let n = 0; ; n++) {
    const path = await context.paths.ofName(outputName(job, name, n))
    if ((await lstatIfThere(context.fs, path.path)) !== undefined) continue
    try {
      return await commit(context, content, { path, name, exclusive: true }, o)
    } catch (e) {
      if (e !== TAKEN) throw e
    }
  }
}

/** The record is the commit. If it fails, the new file is removed and the replaced file is restored. */
async function commit(
  context: UploadContext,
  { staged, stat, draft, sha256 }: StagedContent,
  target: Target,
  o: OpOptions,
): Promise<ArtifactRecord> {
  const { path } = target
  const record: ArtifactRecord = {
    ...derivedRecord(path, stat),
    name: target.name,
    mimeType: draft.mimeType,
    ...(draft.policy && { policy: draft.policy }),
    ...(sha256 !== undefined && { sha256 }),
  }
  const item = collectionItem(draft, path.id)
  const isNewItem = item !== undefined && !(await isMember(context, item.entity, path.id))
  const before = contentStep(context, staged, stat, target, o)
  await context.aspects.update(artifactAspect(record), o, { also: isNewItem ? [item] : [], before })
  return record
}

/** Moves a staged file to its path. `undo` works until `end`. */
function contentStep(
  { fs, fsync, staging }: UploadContext,
  staged: string,
  stat: LocalStat,
  { path: { path }, exclusive }: Target,
  { signal }: OpOptions,
): CommitStep {
  const backup = staging.newPath()
  const move = async () => {
    const isPlaced = await moveTo(fs, staged, path, { exclusive, fsync }).catch((e: unknown) => {
      // without hard links exclusive creation is not possible; the name was free just before
      if (exclusive && isIvcapError(e, 'unsupported'))
        return moveTo(fs, staged, path, { exclusive: false, fsync })
      throw e
    })
    if (!isPlaced) throw TAKEN
  }
  return {
    run: async () => {
      signal?.throwIfAborted()
      if (!exclusive) await linkBackup(fs, path, backup)
      await withFsErrors('move the artifact to its path', path, 'name', move)
    },
    undo: async () => {
      const now = await lstatIfThere(fs, path)
      // another program may have replaced it again
      if (now === undefined || etagOf(now) !== etagOf(stat)) return
      await fs.rename(backup, path).catch(() => fs.unlink(path))
    },
    end: () => staging.discard(backup),
  }
}

/** Links the file that is about to be replaced, so that it can be restored. Without hard links it can't be restored. */
async function linkBackup(fs: LocalFs, path: string, backup: string): Promise<void> {
  if ((await lstatIfThere(fs, path)) === undefined) return
  await fs.link(path, backup).catch((e: unknown) => {
    if (!NO_LINK.includes(errnoOf(e) ?? '')) throw e
  })
}
const NO_LINK = ['ENOENT', 'ENOTDIR', 'EPERM', 'EISDIR', 'ENOTSUP', 'ENOSYS', 'EMLINK']

async function isMember(
  { index, aspects }: UploadContext,
  collection: string,
  artifact: Urn,
): Promise<boolean> {
  await index.refresh()
  const { table } = index
  // a new file can't be a member yet: the collection, which may be large, need not be read
  if (table.of({ entity: artifact }).length === 0) return false
  for (const { uuid, schema, validTo } of table.of({ entity: collection })) {
    if (schema !== COLLECTION_ITEM_SCHEMA || validTo !== undefined) continue
    const item = await aspects.load(uuid)
    if (item?.validTo === undefined && item?.content?.['item'] === artifact) return true
  }
  return false
}

function defaultName(native: { readonly kind: string; readonly path?: string } | undefined): string {
  const extension = native?.path === undefined ? '' : extname(native.path)
  // an extension with other characters is dropped
  return randomUUID() + (/^\.[\w-]{1,20}$/.test(extension) ? extension : '')
}
