import { defineConfig } from 'vitest/config'

/** Workspace packages are taken from their sources: no test imports a sibling's build output. */
const conditions = ['source', 'module', 'node', 'import', 'default']

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: ['packages/*/test/**/*.test.ts', 'apps/*/test/**/*.test.ts'],
    testTimeout: 20_000,
    server: { deps: { inline: [/@ivcap\//] } },
  },
})
