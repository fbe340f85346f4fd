import { constants } from 'node:fs'
import type { LocalFileHandle, LocalFs } from '../../src/index.js'

type Sync = NonNullable<LocalFs['sync']>

/** What changes something in a file system, in the order it comes. */
export interface Change {
  readonly call: 'create' | 'link' | 'mkdir' | 'rename' | 'rmdir' | 'sync' | 'unlink' | 'utimes' | 'write'
  readonly path: string
}

export interface Watcher {
  /** Throws instead of letting a change happen. */
  readonly change: (change: Change) => void
  /** Bytes of a write that are written, at the most. Default: all. */
  readonly written?: () => number
  /** Throws instead of letting something be read. Default: lets all of it be read. */
  readonly reading?: (path: string) => void
}

/** `fs`, but each call is first shown to the watcher. */
export function watched(fs: LocalFs, watcher: Watcher): LocalFs {
  const { change, written = () => Number.POSITIVE_INFINITY, reading = () => {} } = watcher
  const changing = async <T>(call: Change['call'], path: string, run: () => Promise<T>): Promise<T> => {
    change({ call, path })
    return await run()
  }
  const readingOf = async <T>(path: string, run: () => Promise<T>): Promise<T> => {
    reading(path)
    return await run()
  }
  const handleOf = (handle: LocalFileHandle, path: string): LocalFileHandle => {
    const sync = () => changing('sync', path, () => (handle.sync ? handle.sync() : handle.datasync()))
    return {
      read: (buffer, offset, length, position) =>
        readingOf(path, () => handle.read(buffer, offset, length, position)),
      write: (buffer, offset, length, position) =>
        changing('write', path, () => handle.write(buffer, offset, Math.min(written(), length), position)),
      stat: (o) => readingOf(path, () => handle.stat(o)),
      sync,
      datasync: sync,
      close: () => handle.close(),
    }
  }
  return {
    open: async (path, flags) => {
      if (isReading(flags)) reading(path)
      else change({ call: 'create', path })
      return handleOf(await fs.open(path, flags), path)
    },
    readFile: (path, encoding) => readingOf(path, () => fs.readFile(path, encoding)),
    stat: (path, o) => readingOf(path, () => fs.stat(path, o)),
    lstat: (path, o) => readingOf(path, () => fs.lstat(path, o)),
    realpath: (path) => readingOf(path, () => fs.realpath(path)),
    readdir: (path, o) => readingOf(path, () => fs.readdir(path, o)),
    mkdir: (path, o) => changing('mkdir', path, () => fs.mkdir(path, o)),
    link: (from, path) => changing('link', path, () => fs.link(from, path)),
    rename: (from, path) => changing('rename', path, () => fs.rename(from, path)),
    unlink: (path) => changing('unlink', path, () => fs.unlink(path)),
    rmdir: (path) => changing('rmdir', path, () => fs.rmdir(path)),
    chmod: async (path, mode) => fs.chmod?.(path, mode),
    chown: async (path, uid, gid) => fs.chown?.(path, uid, gid),
    utimes: (path, a, m) => changing('utimes', path, () => fs.utimes(path, a, m)),
    ...(fs.sync && { sync: watchedSync(fs.sync, { change, written, reading }) }),
  }
}

function watchedSync(fs: Sync, { change, written, reading }: Required<Watcher>): Sync {
  return {
    openSync: (path, flags) => {
      if (isReading(flags)) reading(path)
      else change({ call: 'create', path })
      return fs.openSync(path, flags)
    },
    writeSync: (fd, bytes, offset) => {
      change({ call: 'write', path: `file ${fd}` })
      return fs.writeSync(fd, bytes.subarray(0, offset + written()), offset)
    },
    closeSync: (fd) => fs.closeSync(fd),
    ...(fs.readSync && {
      readSync: (fd: number, buffer: Uint8Array, offset: number, length: number, position: number) =>
        fs.readSync?.(fd, buffer, offset, length, position) ?? 0,
    }),
    readFileSync: (path, encoding) => {
      reading(path)
      return fs.readFileSync(path, encoding)
    },
    lstatSync: (path, o) => {
      reading(path)
      return fs.lstatSync(path, o)
    },
    fstatSync: (fd, o) => {
      reading(`file ${fd}`)
      return fs.fstatSync(fd, o)
    },
    futimesSync: (fd, a, m) => {
      change({ call: 'utimes', path: `file ${fd}` })
      fs.futimesSync(fd, a, m)
    },
    linkSync: (from, to) => {
      change({ call: 'link', path: to })
      fs.linkSync(from, to)
    },
    renameSync: (from, to) => {
      change({ call: 'rename', path: to })
      fs.renameSync(from, to)
    },
    unlinkSync: (path) => {
      change({ call: 'unlink', path })
      fs.unlinkSync(path)
    },
    mkdirSync: (path, o) => {
      change({ call: 'mkdir', path })
      return fs.mkdirSync(path, o)
    },
  }
}

const isReading = (flags: string | number): boolean =>
  typeof flags === 'string' ? flags === 'r' : (flags & (constants.O_WRONLY | constants.O_RDWR)) === 0

export const errno = (code: string): Error => Object.assign(new Error(`${code}: said the test`), { code })
