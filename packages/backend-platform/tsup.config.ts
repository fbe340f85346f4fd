import { defineConfig } from 'tsup'
import { library } from '../../tsup.base.js'

export default defineConfig({
  ...library,
  external: ['#pending-uploads', '#transport'],
  entry: {
    index: 'src/index.ts',
    'uploads/pending/node': 'src/uploads/pending/node.ts',
    'uploads/pending/web': 'src/uploads/pending/web.ts',
    'transport/node/index': 'src/transport/node/index.ts',
    'transport/web': 'src/transport/web.ts',
  },
})
