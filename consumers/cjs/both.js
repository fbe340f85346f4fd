const assert = require('node:assert/strict')
const { mkdtemp, rm } = require('node:fs/promises')
const { tmpdir } = require('node:os')
const { join } = require('node:path')
const { isArtifact, isIvcapError, IvcapError } = require('@ivcap/core')

async function main() {
  const other = await import('@ivcap/client')
  assert.notEqual(other.IvcapError, IvcapError)

  const folder = await mkdtemp(join(tmpdir(), 'both-consumer-'))
  const ivcap = await other.local({ baseDir: folder })
  const artifact = await ivcap.uploadArtifact({ name: 'a.txt', content: 'a', contentType: 'text/plain' })
  assert.ok(isArtifact(artifact))
  await assert.rejects(ivcap.getArtifact('nonsense'), (error) => isIvcapError(error, 'invalid-argument'))
  await ivcap.close()
  await rm(folder, { recursive: true })
}

main().then(() => console.log('all went well'))
