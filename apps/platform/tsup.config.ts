import { defineConfig } from 'tsup'
import { library } from '../../tsup.base.js'

export default defineConfig({
  ...library,
  entry: { index: 'src/index.ts', main: 'src/main.ts', 'job-worker': 'src/services/job-worker.ts' },
  format: ['esm'],
})
