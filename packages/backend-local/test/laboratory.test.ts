import { describeFaults, randomOf } from '@ivcap/conformance'
import { memfs } from 'memfs'
import { localBackend } from '../src/index.js'
import { errno, watched } from './support/failing-fs.js'

const CODES = ['ENOSPC', 'EIO', 'EMFILE']

describeFaults('local', {
  rounds: 10,
  async open(seed) {
    const { fs } = memfs()
    const random = randomOf(seed)
    const failing = watched(fs.promises, () => {
      if (random() < 0.02) throw errno(CODES[Math.floor(random() * CODES.length)] ?? 'EIO')
    })
    const faulty = localBackend({ baseDir: '/base', fs: failing })
    return { faulty, healthy: async () => localBackend({ baseDir: '/base', fs: fs.promises }) }
  },
})
