import { type Benchmark, timed } from '../benchmark.js'

export const importTime: Benchmark = {
  title: 'Import the client in a fresh process',
  measuresMemory: [],
  contenders: {
    '@ivcap/core': async () => ({ ms: await timed(() => import('@ivcap/core')) }),
    '@ivcap/client': async () => ({ ms: await timed(() => import('@ivcap/client')) }),
  },
  goals: [
    { what: 'ms to import @ivcap/client', limit: 60, sense: 'at most', value: (f) => f.ms('@ivcap/client') },
  ],
}
