import type { Options } from 'tsup'

/** ESM, CJS and types for both; `#files` stays an import, so that the reader's conditions choose the file. */
export const library = {
  format: ['esm', 'cjs'],
  target: 'es2022',
  dts: true,
  sourcemap: true,
  clean: true,
  splitting: true,
  external: ['#files'],
} satisfies Options
