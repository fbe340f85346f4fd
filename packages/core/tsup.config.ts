import { defineConfig } from 'tsup'
import { library } from '../../tsup.base.js'

export default defineConfig({
  ...library,
  entry: {
    index: 'src/index.ts',
    driver: 'src/driver.ts',
    'engine/index': 'src/engine/index.ts',
    'services/index': 'src/services/index.ts',
    'files/node': 'src/files/node.ts',
    'files/none': 'src/files/none.ts',
  },
})
