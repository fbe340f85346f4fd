import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memoryBackend } from '@ivcap/backend-memory'
import { connect, local } from '@ivcap/client'
import { Ivcap, isIvcapError } from '@ivcap/core'
import { blobBackend } from '@ivcap/core/engine'
import { defineService } from '@ivcap/services'

const folder = await mkdtemp(join(tmpdir(), 'esm-consumer-'))
const file = join(folder, 'reef.csv')
await writeFile(file, 'site,cover\nA,0.4\n')

for (const ivcap of [
  await connect({ url: 'memory:' }),
  new Ivcap(memoryBackend()),
  await local({ baseDir: join(folder, 'store') }),
]) {
  const artifact = await ivcap.uploadArtifact({ name: 'reef.csv', filePath: file })
  assert.equal(artifact.mimeType, 'text/csv')
  assert.equal(await artifact.text(), await readFile(file, 'utf8'))

  const copy = await artifact.asLocalFile(join(folder, 'copies', 'reef.csv'))
  assert.deepEqual(await readFile(copy.path), await readFile(file))

  await artifact.addMetadata({ $schema: 'urn:example:schema:site.1', reef: 'Heron' })
  const [site] = await artifact.metadata({ schema: 'urn:example:schema:site.1' }).toArray()
  assert.equal(site?.content.reef, 'Heron')
  assert.equal((await ivcap.listArtifacts().toArray()).length, 1)

  await assert.rejects(ivcap.uploadArtifact({ filePath: join(folder, 'absent.csv') }), (error) =>
    isIvcapError(error, 'invalid-argument'),
  )
  await ivcap.close()
}
assert.equal(typeof blobBackend, 'function')

const count = defineService({
  name: 'count',
  parameters: [{ name: 'text', type: 'artifact' }],
  run: async ({ text }) => (await text.bytes()).byteLength,
})
const ivcap = await local({ baseDir: join(folder, 'services'), services: [count] })
const { id } = await ivcap.uploadArtifact({ name: 'reef.csv', filePath: file })
const job = await (await ivcap.getServiceByName('count')).requestJob({ text: id })
assert.equal((await job.wait()).result, 17)
assert.equal((await ivcap.lineage(id)).nodes.length, 2)
await ivcap.close()

await rm(folder, { recursive: true })
console.log('all went well')
