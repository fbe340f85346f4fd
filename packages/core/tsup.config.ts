import { defineConfig } from 'tsup'
import { library } from '../../tsup.base.js'

export default defineConfig({
  ...library,
  entry: {
    index: 'src/index.ts',
    driver: 'src/driver.ts',
    internal: 'src/internal.ts',
    'engine/index': 'src/engine/index.ts',
    'runtime/node': 'src/runtime/node/index.ts',
    'runtime/web': 'src/runtime/web.ts',
    'runtime/node-hash': 'src/runtime/node/hash.ts',
    'runtime/web-hash': 'src/runtime/web-hash.ts',
  },
})
