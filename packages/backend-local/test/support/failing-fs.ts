import type { LocalFileHandle, LocalFs } from '../../src/index.js'

const CHANGES = ['link', 'mkdir', 'rename', 'rmdir', 'unlink', 'utimes'] as const

/** What changes something in a file system, in the order it comes. */
export interface Change {
  readonly call: (typeof CHANGES)[number] | 'create' | 'write' | 'sync'
  readonly path: string
}

/** `fs`, but each change is first shown to `before`, which may throw instead of letting it happen. */
export function watched(fs: LocalFs, before: (change: Change) => void): LocalFs {
  const guard = async <T>(call: Change['call'], path: string, run: () => Promise<T>): Promise<T> => {
    before({ call, path })
    return await run()
  }
  return {
    open: async (path, flags) => {
      if (flags !== 'r') before({ call: 'create', path })
      return handleOf(await fs.open(path, flags), path, guard)
    },
    readFile: (path, encoding) => fs.readFile(path, encoding),
    stat: (path, o) => fs.stat(path, o),
    lstat: (path, o) => fs.lstat(path, o),
    realpath: (path) => fs.realpath(path),
    readdir: (path, o) => fs.readdir(path, o),
    mkdir: (path, o) => guard('mkdir', path, () => fs.mkdir(path, o)),
    link: (from, path) => guard('link', path, () => fs.link(from, path)),
    rename: (from, path) => guard('rename', path, () => fs.rename(from, path)),
    unlink: (path) => guard('unlink', path, () => fs.unlink(path)),
    rmdir: (path) => guard('rmdir', path, () => fs.rmdir(path)),
    utimes: (path, a, m) => guard('utimes', path, () => fs.utimes(path, a, m)),
  }
}

function handleOf(
  handle: LocalFileHandle,
  path: string,
  guard: <T>(call: Change['call'], path: string, run: () => Promise<T>) => Promise<T>,
): LocalFileHandle {
  const sync = () => guard('sync', path, () => (handle.sync ? handle.sync() : handle.datasync()))
  return {
    read: (buffer, offset, length, position) => handle.read(buffer, offset, length, position),
    write: (buffer, offset, length, position) =>
      guard('write', path, () => handle.write(buffer, offset, length, position)),
    stat: (o) => handle.stat(o),
    sync,
    datasync: sync,
    close: () => handle.close(),
  }
}

export const errno = (code: string): Error => Object.assign(new Error(`${code}: said the test`), { code })
