const assert = require('node:assert/strict')
const { mkdtemp, readFile, rm } = require('node:fs/promises')
const { tmpdir } = require('node:os')
const { join } = require('node:path')
const { local } = require('@ivcap/client')
const driver = require('@ivcap/core/driver')
const engine = require('@ivcap/core/engine')
const { functionServices } = require('@ivcap/services')

async function main() {
  const folder = await mkdtemp(join(tmpdir(), 'cjs-consumer-'))
  const echo = { name: 'echo', run: (params) => params }
  const ivcap = await local({ baseDir: folder, services: [echo] })
  const bytes = new Uint8Array(300_000).map((_, i) => i % 251)
  const artifact = await ivcap.uploadArtifact({
    name: 'numbers.bin',
    content: bytes,
    contentType: 'application/octet-stream',
  })
  assert.deepEqual(await artifact.bytes(), bytes)

  const parts = []
  for await (const part of artifact.asStream({ range: { start: 100, end: 400 } })) parts.push(part)
  assert.deepEqual(Buffer.concat(parts), Buffer.from(bytes.subarray(100, 400)))

  const { path } = await artifact.asLocalFile()
  assert.deepEqual(await readFile(path), Buffer.from(bytes))
  const job = await (await ivcap.getServiceByName('echo')).requestJob({ n: 1 })
  assert.deepEqual((await job.wait()).result, { n: 1 })
  await ivcap.close()
  await rm(folder, { recursive: true })
}

assert.equal(typeof engine.blobBackend, 'function')
assert.equal(typeof functionServices, 'function')
assert.equal(typeof driver.IvcapError, 'function')
main().then(() => console.log('all went well'))
