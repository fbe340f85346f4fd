import { defineConfig } from 'tsup'
import { library } from '../../tsup.base.js'

export default defineConfig({
  ...library,
  external: ['#journal', '#transport'],
  entry: {
    index: 'src/index.ts',
    'journal/node': 'src/journal/node.ts',
    'journal/web': 'src/journal/web.ts',
    'transport/node': 'src/transport/node.ts',
    'transport/web': 'src/transport/web.ts',
  },
})
