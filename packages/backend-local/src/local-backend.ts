import { join, resolve } from 'node:path'
import { type Backend, checkOptions, type EventListener, IvcapError } from '@ivcap/core/driver'
import { type Clock, type OptionNames, show, systemClock } from '@ivcap/core/internal'
import { type Layout, OWN } from './artifacts/names.js'
import { ArtifactPaths } from './artifacts/paths.js'
import { ArtifactRecords } from './artifacts/records.js'
import { artifactStore } from './artifacts/store.js'
import { AspectFolder } from './aspects/files.js'
import { AspectRecords } from './aspects/records.js'
import { aspectStore } from './aspects/store.js'
import { Bases } from './bases.js'
import { withFolderErrors } from './fs/fs-error.js'
import { hostFs, type LocalFs, retryIfTooManyOpen } from './fs/local-fs.js'
import { LOCK_TIMEOUT, Locks } from './fs/locks.js'
import { Omissions } from './fs/omissions.js'
import { OwnFolder } from './fs/own-folder.js'
import { Staging } from './fs/staging.js'
import { AspectIndex } from './index/aspect-index.js'
import { checkLayout, FolderLayout } from './layout.js'
import { repairFolder, verifyFolder } from './verify.js'

export interface LocalBackendOptions {
  /** The folder; created by the first write. */
  readonly baseDir: string
  /**
   * Where artifacts are stored: `flat` at `<baseDir>/<name>`, `artifacts` at `<baseDir>/artifacts/<name>`. The first write
   * records the layout. Afterwards any other layout fails with `invalid-argument`.
   *
   * @default the recorded layout; without a record `artifacts` if `baseDir` has a folder `artifacts` and nothing else but
   * `aspects` and names with a leading dot, else `flat`
   */
  readonly layout?: Layout | undefined
  /** Also records a SHA-256 of files, which are otherwise copied without being read. Streams are always hashed. @default false */
  readonly digest?: boolean | undefined
  /** Acknowledged writes survive a loss of power. Slower. @default false */
  readonly fsync?: boolean | undefined
  /** With another file system, artifacts have no local paths and are not copied by the kernel. @default this machine's files */
  readonly fs?: LocalFs | undefined
  /** Microseconds since 1970. @default the system's clock */
  readonly clock?: Clock | undefined
  /**
   * Milliseconds that an update waits for one live process (e.g. a stopped one) that holds the lock of the same entity and
   * schema. Afterwards the update fails with `unavailable`.
   *
   * @default 60000
   */
  readonly lockTimeout?: number | undefined
  /**
   * Receives `left-out` for each file that cannot be read or is not valid, once for each state of the file, and `fallback` if an
   * optional step fails. The client's listener receives them, too.
   *
   * @default none
   */
  readonly onEvent?: EventListener | undefined
}

const OPTIONS: OptionNames<LocalBackendOptions> = {
  baseDir: true,
  layout: true,
  digest: true,
  fsync: true,
  fs: true,
  clock: true,
  lockTimeout: true,
  onEvent: true,
}

/**
 * Stores artifacts and aspects in a folder: `<baseDir>/<name>` (see `layout`) and `<baseDir>/aspects/<uuid>.json`. The folder is
 * shared with IVCAP's Python client and with any program that puts files there. Only this package uses `<baseDir>/.ivcap`. Many
 * processes may use the folder at once. All writes are atomic, even if the process dies.
 *
 * A new artifact replaces an artifact of the same name. If a user edits a record so that it has another entity or schema, queries
 * for the old one stop finding it at once. Queries for the new one find it after the first listing of a process, or after several
 * listings in a folder of more than 4,096 aspects.
 */
export function localBackend(options: LocalBackendOptions): Backend {
  const {
    fs = hostFs,
    clock = systemClock,
    fsync = false,
    digest = false,
  } = checkOptions(options, OPTIONS, 'localBackend')
  checkFolder(options.baseDir)
  const dir = resolve(options.baseDir)
  const staging = new Staging(fs, join(dir, OWN, 'staging'))
  const layout = new FolderLayout({ fs, dir, staging, requested: checkLayout(options.layout) })
  const paths = new ArtifactPaths({ fs, dir, layout })
  const indexPaths = { facts: join(dir, OWN, 'facts.jsonl'), contents: join(dir, OWN, 'contents.jsonl') }
  const earlierIndex = join(dir, OWN, 'aspects.index')
  const omissions = new Omissions(options.onEvent)
  const own = new OwnFolder({ fs, dir, layout })
  const bases = new Bases({
    fs,
    dir,
    caches: Object.values(indexPaths),
    own,
    omissions,
    root: () => paths.root(),
  })
  const shared = { fs, dir, staging, fsync, own, bases, omissions }
  const folder = new AspectFolder(shared)
  const index = new AspectIndex({ ...shared, folder, paths: indexPaths })
  const locks = new Locks({
    ...shared,
    dir: join(dir, OWN, 'locks'),
    timeout: lockTimeoutOf(options),
    finish: (left) => aspects.copyEnds(left),
  })
  const aspects: AspectRecords = new AspectRecords({ ...shared, folder, index, locks, clock })
  const records = new ArtifactRecords(index, aspects)

  const examined = { fs, paths, layout, folder, index, aspects }

  let opened: Promise<void> | undefined
  const open = () => {
    opened ??= openFolder().catch((e: unknown) => {
      opened = undefined
      throw e
    })
    return opened
  }
  const openFolder = async () => {
    await withFolderErrors(dir, 'open the folder', () => retryIfTooManyOpen(fs, () => layout.get(), {}))
    // failures are ignored: the next write to the folder reports them
    const ignore = () => {}
    await Promise.all([
      staging.removeStaleFiles(),
      locks.finishAbandoned().catch(ignore),
      fs.unlink(earlierIndex).catch(ignore),
    ])
  }

  return {
    artifacts: artifactStore({ ...shared, digest, clock, paths, index, aspects, records, open }),
    aspects: aspectStore({ ...shared, index, records: aspects, clock, open }),
    verify: (o) =>
      omissions.during(o, () => withFolderErrors(dir, 'examine the folder', () => verifyFolder(examined, o))),
    repair: (o) =>
      omissions.during(o, () => withFolderErrors(dir, 'repair the folder', () => repairFolder(examined, o))),
  }
}

function lockTimeoutOf({ lockTimeout = LOCK_TIMEOUT }: LocalBackendOptions): number {
  if (Number.isFinite(lockTimeout) && lockTimeout > 0) return lockTimeout
  const message = `lockTimeout must be a number of milliseconds above 0, not ${show(lockTimeout)}`
  throw new IvcapError('invalid-argument', message, { argument: 'lockTimeout' })
}

/** @throws IvcapError `invalid-argument` */
function checkFolder(baseDir: unknown): void {
  if (typeof baseDir === 'string' && baseDir !== '' && !baseDir.includes('\0')) return
  const message = `localBackend: baseDir must be the path of a folder, not ${show(baseDir)}`
  throw new IvcapError('invalid-argument', message, { operation: 'localBackend', argument: 'baseDir' })
}
