import { memoryBackend } from '@ivcap/backend-memory'
import { Ivcap } from '@ivcap/core'

const ivcap = new Ivcap(memoryBackend())
const ids: string[] = []
const N = 3000
let t = performance.now()
for (let i = 0; i < N; i++) ids.push((await ivcap.uploadArtifact({ name: `a${i}.txt`, content: 'a' + i })).id)
console.log('upload /s', ((N / (performance.now() - t)) * 1000) | 0)
for (let r = 0; r < 4; r++) {
  t = performance.now()
  for (const id of ids) await ivcap.getArtifact(id)
  console.log('get /s', ((N / (performance.now() - t)) * 1000) | 0)
}
t = performance.now()
for (let i = 0; i < N; i++) await ivcap.addAspect(`urn:x:e:${i}`, { $schema: 'urn:x:s', i })
console.log('add /s', ((N / (performance.now() - t)) * 1000) | 0)
