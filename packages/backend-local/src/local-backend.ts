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
import { explainedIn } from './fs/fs-error.js'
import { LeftOuts } from './fs/left-outs.js'
import { hostFs, type LocalFs, whenFilesAreFree } from './fs/local-fs.js'
import { LOCK_TIMEOUT, Locks } from './fs/locks.js'
import { OwnFolder } from './fs/own-folder.js'
import { Staging } from './fs/staging.js'
import { AspectIndex } from './index/aspect-index.js'
import { checkLayout, FolderLayout } from './layout.js'
import { repairFolder, verifyFolder } from './verify.js'

export interface LocalBackendOptions {
  /** The folder; made by the first write, and empty until then. */
  readonly baseDir: string
  /**
   * Where artifacts lie: `flat` at `<baseDir>/<name>`, `artifacts` at `<baseDir>/artifacts/<name>`. Recorded by the first write;
   * afterwards, another layout than the recorded one fails with `invalid-argument`.
   *
   * @default the recorded layout; without a record `artifacts` if `baseDir` has a folder `artifacts` and nothing else but `aspects`
   * and names with a leading dot, else `flat`
   */
  readonly layout?: Layout | undefined
  /** Whether a file that the kernel copies is hashed too, beside the copy. Streams always are. Default: false. */
  readonly digest?: boolean | undefined
  /** Whether what is acknowledged survives a loss of power too. Default: false. */
  readonly fsync?: boolean | undefined
  /** Default: this machine's files. With another one, there are no local paths and no copies by the kernel. */
  readonly fs?: LocalFs | undefined
  /** Default: the wall clock. */
  readonly clock?: Clock | undefined
  /**
   * Milliseconds that an update waits for another live process that holds the lock of the same entity and schema, e.g. one that
   * was stopped. @default 60000
   */
  readonly lockTimeout?: number | undefined
  /**
   * Hears what results do not tell: `left-out` for each thing that cannot be read or is not valid, once for each state of it, and
   * `fallback`. Calls tell it to the client's listener as well. @default nobody hears them
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
 * Artifacts and aspects in a folder: `<baseDir>/<name>` (see `layout`) and `<baseDir>/aspects/<uuid>.json`, shared with IVCAP's Python
 * client and with any program that puts files there. What is ours alone lies in `<baseDir>/.ivcap`. Many processes may use
 * the folder at once; one that dies leaves nothing half-done that anybody sees.
 *
 * An artifact of the same name is replaced. A record edited by hand is taken up: at once where it is found by what it was, and
 * where it is found by what it is now, by the first list of a process or some lists later, as the folder is small or large.
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
  const leftOuts = new LeftOuts(options.onEvent)
  const own = new OwnFolder({ fs, dir, layout })
  const bases = new Bases({
    fs,
    dir,
    caches: Object.values(indexPaths),
    own,
    leftOuts,
    root: () => paths.root(),
  })
  const shared = { fs, dir, staging, fsync, own, bases, leftOuts }
  const folder = new AspectFolder(shared)
  const index = new AspectIndex({ ...shared, folder, paths: indexPaths })
  const locks = new Locks({
    ...shared,
    dir: join(dir, OWN, 'locks'),
    timeout: lockTimeoutOf(options),
    finish: (left) => aspects.showEnds(left),
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
    await explainedIn(dir, 'open the folder', () => whenFilesAreFree(fs, () => layout.get(), {}))
    // a folder that can't be written keeps its leftovers; whoever writes next will hear of it
    const ignore = () => {}
    await Promise.all([staging.sweep(), locks.sweep().catch(ignore), fs.unlink(earlierIndex).catch(ignore)])
  }

  return {
    artifacts: artifactStore({ ...shared, digest, clock, paths, index, aspects, records, open }),
    aspects: aspectStore({ ...shared, index, records: aspects, clock, open }),
    verify: (o) =>
      leftOuts.during(o, () => explainedIn(dir, 'examine the folder', () => verifyFolder(examined, o))),
    repair: (o) =>
      leftOuts.during(o, () => explainedIn(dir, 'repair the folder', () => repairFolder(examined, o))),
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
