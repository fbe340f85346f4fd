import { defineConfig } from 'vitest/config'
import { tally } from '../scripts/lib/tally.mjs'

export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ['*.test.ts'],
    reporters: ['default', tally()],
    testTimeout: 60_000,
    // Installing from an empty npm cache.
    hookTimeout: 300_000,
  },
})
