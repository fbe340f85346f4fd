import { defineConfig } from 'tsup'

/** Plain JavaScript against the packages as built: what is measured is what users install. */
export default defineConfig({
  entry: ['src/run.ts', 'src/child.ts'],
  format: 'esm',
  target: 'es2022',
  splitting: true,
  clean: true,
})
