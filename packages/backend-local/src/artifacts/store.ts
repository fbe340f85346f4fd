import {
  type ArtifactRecord,
  type ArtifactStore,
  abortable,
  IvcapError,
  type OpOptions,
  resolveRange,
  type Urn,
} from '@ivcap/core/driver'
import { type Clock, shareTurns } from '@ivcap/core/internal'
import type { AspectRecords } from '../aspects/records.js'
import type { Bases } from '../bases.js'
import { withFolderErrors } from '../fs/fs-error.js'
import {
  etagOf,
  hostFs,
  type LocalFs,
  type LocalStat,
  lstatIfThere,
  retryIfTooManyOpen,
} from '../fs/local-fs.js'
import type { Omissions } from '../fs/omissions.js'
import type { OwnFolder } from '../fs/own-folder.js'
import { readPinned } from '../fs/pinned-file.js'
import type { Staging } from '../fs/staging.js'
import type { AspectIndex } from '../index/aspect-index.js'
import { ArtifactListings } from './listing.js'
import type { ArtifactPath, ArtifactPaths } from './paths.js'
import type { ArtifactRecords } from './records.js'
import { upload } from './upload.js'

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
  readonly omissions: Omissions
  /** Awaited before anything else. */
  readonly open: () => Promise<void>
}

/** Files in the folder as artifacts. The client has checked and completed all arguments. */
export function artifactStore(parts: ArtifactParts): ArtifactStore {
  const { fs, paths, records, omissions, bases, index, open } = parts
  const listings = new ArtifactListings(parts)
  const isKnown = (id: string) => index.table.of({ entity: bases.current(id) }).length > 0

  const inTurn = shareTurns()

  /** `repeatable`: `work` may run again after it failed. */
  async function run<T>(
    operation: string,
    o: OpOptions,
    work: () => Promise<T>,
    repeatable = true,
  ): Promise<T> {
    o.signal?.throwIfAborted()
    await abortable(open(), o.signal)
    await inTurn()
    o.signal?.throwIfAborted()
    const runOnce = () => omissions.during(o, () => withFolderErrors(paths.dir, operation, work))
    return await (repeatable ? retryIfTooManyOpen(fs, runOnce, o) : runOnce())
  }

  async function find(id: Urn): Promise<{ path: ArtifactPath; stat: LocalStat; record: ArtifactRecord }> {
    await index.refresh()
    const path = await paths.ofId(id, { bases, isKnown })
    const stat = path === undefined ? undefined : await lstatIfThere(fs, path.path)
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
      run('store an artifact', o, () => upload(parts, source, draft, o), source.replayable),

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

    // in another file system, a path has no meaning for other programs on this machine
    ...(fs === hostFs && {
      localPath: (id: Urn) =>
        run('look up an artifact', {}, async () => {
          await index.refresh()
          return (await paths.ofId(id, { bases, isKnown }))?.path
        }),
    }),
  }
}
