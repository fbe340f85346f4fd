import { explained } from './fs-error.js'

/** Runs file system calls. A failure names the path that it is about; `baseDir` only where it is about the folder itself. */
export async function explainedIn<T>(dir: string, doing: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (e) {
    const path = e instanceof Error && 'path' in e && typeof e.path === 'string' ? e.path : dir
    return await explained(doing, path, path === dir ? 'baseDir' : undefined, () => Promise.reject(e))
  }
}
