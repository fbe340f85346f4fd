/// <reference lib="esnext.disposable" />

/** `Symbol.asyncDispose`, or the fallback that compilers use for `await using` if the runtime does not define it. */
export const asyncDispose: typeof Symbol.asyncDispose =
  Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')

/** A file on this disk with the whole, verified content of an artifact. */
export interface LocalFile extends AsyncDisposable {
  /** Absolute path. */
  readonly path: string
  /** Removes the file if it is a temporary file of this library. Never removes any other file. */
  dispose(): Promise<void>
}

/** @param remove must be given only for a temporary file; any other file is never removed */
export function localFile(path: string, remove?: () => Promise<void>): LocalFile {
  let removed: Promise<void> | undefined
  const dispose = () => {
    removed ??= remove?.() ?? Promise.resolve()
    return removed
  }
  return { path, dispose, [asyncDispose]: dispose }
}
