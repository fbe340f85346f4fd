import type { Options } from 'tsup'

/** ESM, CJS and types for both; `#runtime` and `#sha256` stay imports, so that the reader's conditions choose the file. */
export const library = {
  format: ['esm', 'cjs'],
  target: 'es2022',
  // Rolling up drops the sources' own references; users whose lib has no disposables need this one.
  dts: { banner: '/// <reference lib="esnext.disposable" />' },
  sourcemap: true,
  clean: true,
  splitting: true,
  external: ['#runtime', '#sha256'],
  removeNodeProtocol: false,
} satisfies Options
