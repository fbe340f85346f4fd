import { defineConfig } from 'tsup'
import { library } from '../../tsup.base.js'

// vitest can't be required, so neither can what imports it
export default defineConfig({
  ...library,
  format: ['esm'],
  entry: {
    index: 'src/index.ts',
    'fault-proxy': 'src/faults/fault-proxy.ts',
    'killed-writer': 'src/faults/killed-writer.ts',
  },
})
