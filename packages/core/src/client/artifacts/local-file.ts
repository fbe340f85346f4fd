/// <reference lib="esnext.disposable" />

/** `Symbol.asyncDispose`, or what compilers of `await using` fall back to where the runtime has none yet. */
export const asyncDispose: typeof Symbol.asyncDispose =
  Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')

/** A file on this disk with the whole, checked content of an artifact. */
export interface LocalFile extends AsyncDisposable {
  /** Absolute. */
  readonly path: string
  /** Removes the file if it is a temporary one of ours; any other is never removed. */
  dispose(): Promise<void>
}

/** `remove` is given for a temporary file; a file that we did not make is never removed. */
export function localFile(path: string, remove?: () => Promise<void>): LocalFile {
  let removed: Promise<void> | undefined
  const dispose = () => {
    removed ??= remove?.() ?? Promise.resolve()
    return removed
  }
  return { path, dispose, [asyncDispose]: dispose }
}
