import { defineConfig } from 'vitest/config'
import { tally } from './scripts/lib/tally.mjs'

/** Workspace packages are taken from their sources: no test imports a sibling's build output. */
const conditions = ['source', 'node', 'import', 'default']

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: ['packages/*/test/**/*.test.ts', 'apps/*/test/**/*.test.ts', 'scripts/test/*.test.ts'],
    globalSetup: ['scripts/lib/test-servers.mjs'],
    reporters: ['default', tally()],
    // what takes a second on a machine at rest may take ten beside a build
    testTimeout: 60_000,
    hookTimeout: 60_000,
    server: { deps: { inline: [/@ivcap\//] } },
  },
})
