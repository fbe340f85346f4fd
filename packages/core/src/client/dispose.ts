/// <reference lib="esnext.disposable" />

/** `Symbol.asyncDispose`, or what compilers of `await using` fall back to where the runtime has none yet. */
export const asyncDispose: typeof Symbol.asyncDispose =
  Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')
