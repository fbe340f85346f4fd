import { join } from 'node:path'
import {
  type Backend,
  type Clock,
  checkOptions,
  IvcapError,
  type OptionNames,
  show,
  systemClock,
} from '@ivcap/core/driver'
import { OWN } from './artifact-names.js'
import { ArtifactPaths } from './artifact-paths.js'
import { ArtifactRecords } from './artifact-records.js'
import { artifactStore } from './artifact-store.js'
import { AspectFolder } from './aspect-folder.js'
import { AspectIndex } from './aspect-index.js'
import { AspectRecords } from './aspect-records.js'
import { aspectStore } from './aspect-store.js'
import { hostFs, type LocalFs } from './local-fs.js'
import { Locks } from './lock.js'
import { Staging } from './staging.js'

export interface LocalBackendOptions {
  /** The folder; made by the first write, and empty until then. */
  readonly baseDir: string
  /** Whether a file that the kernel copies is hashed too, beside the copy. Streams always are. Default: false. */
  readonly digest?: boolean | undefined
  /** Whether what is acknowledged survives a loss of power too. Default: false. */
  readonly fsync?: boolean | undefined
  /** Default: this machine's files. With another one, there are no local paths and no copies by the kernel. */
  readonly fs?: LocalFs | undefined
  /** Default: the wall clock. */
  readonly clock?: Clock | undefined
  /** Told of files among the aspects that are none, once for each state of such a file. Default: nobody is. */
  readonly onWarning?: ((message: string) => void) | undefined
}

const OPTIONS: OptionNames<LocalBackendOptions> = {
  baseDir: true,
  digest: true,
  fsync: true,
  fs: true,
  clock: true,
  onWarning: true,
}

/**
 * Artifacts and aspects in a folder: `<baseDir>/<name>` and `<baseDir>/aspects/<uuid>.json`, shared with IVCAP's Python
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
    onWarning: warn = () => {},
  } = checkOptions(options, OPTIONS, 'localBackend')
  checkFolder(options.baseDir)
  const paths = new ArtifactPaths(fs, options.baseDir)
  const { dir } = paths
  const staging = new Staging(fs, join(dir, OWN, 'staging'))
  const folder = new AspectFolder(fs, dir, staging, fsync)
  const index = new AspectIndex({ fs, folder, staging, path: join(dir, OWN, 'aspects.index'), warn })
  const locks = new Locks(fs, join(dir, OWN, 'locks'), (left) => aspects.showEnds(left))
  const aspects: AspectRecords = new AspectRecords({ folder, index, locks, clock, warn })
  const records = new ArtifactRecords(index, aspects)

  let opened: Promise<void> | undefined
  const open = () => {
    // a folder that can't be written keeps its leftovers; whoever writes next will hear of it
    opened ??= Promise.all([staging.sweep(), locks.sweep().catch(() => {})]).then(() => {})
    return opened
  }

  return {
    artifacts: artifactStore({ fs, fsync, digest, clock, paths, staging, index, aspects, records, open }),
    aspects: aspectStore({ dir, index, records: aspects, clock, open }),
  }
}

/** @throws IvcapError `invalid-argument` */
function checkFolder(baseDir: unknown): void {
  if (typeof baseDir === 'string' && baseDir !== '' && !baseDir.includes('\0')) return
  const message = `localBackend: baseDir must be the path of a folder, not ${show(baseDir)}`
  throw new IvcapError('invalid-argument', message, { operation: 'localBackend', argument: 'baseDir' })
}
