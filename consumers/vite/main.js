import { connect } from '@ivcap/client'
import { Ivcap, isIvcapError } from '@ivcap/core'
import { blobBackend } from '@ivcap/core/engine'
import { functionServices } from '@ivcap/services'
import { mapBlobs } from './blobs.js'

/** The code of the error that a call ends with. */
async function codeOf(call) {
  try {
    await call()
  } catch (error) {
    return isIvcapError(error) ? error.code : String(error)
  }
  return 'none'
}

function expect(what, actual, expected) {
  if (actual !== expected) throw new Error(`${what}: ${actual} instead of ${expected}`)
}

async function main() {
  expect('process', typeof process, 'undefined')
  const backend = blobBackend(mapBlobs())
  const read = { name: 'read', run: async ({ id }, { getArtifact }) => (await getArtifact(id)).text() }
  const ivcap = new Ivcap({ ...backend, services: functionServices(backend, [read]) })
  const file = new File(['site,cover\nA,0.4\n'], 'reef.csv', { type: 'text/csv' })
  const artifact = await ivcap.uploadArtifact({ name: file.name, content: file })
  expect('content', await artifact.text(), await file.text())
  expect('digest', artifact.sha256?.length, 64)
  const job = await (await ivcap.getServiceByName('read')).requestJob({ id: artifact.id })
  expect('result of a service', (await job.wait()).result, await file.text())
  await artifact.addMetadata({ $schema: 'urn:example:schema:site.1', reef: 'Heron' })
  const [site] = await artifact.metadata({ schema: 'urn:example:schema:site.1' }).toArray()
  expect('metadata', site?.content.reef, 'Heron')

  expect('a path', await codeOf(() => ivcap.uploadArtifact({ filePath: '/reef.csv' })), 'unsupported')
  expect('a file', await codeOf(() => artifact.asLocalFile('/reef.csv')), 'unsupported')
  expect('a folder', await codeOf(() => connect({ url: 'file:./data' })), 'unsupported')
  expect('no token', await codeOf(() => connect({ url: 'https://ivcap.example.com' })), 'invalid-argument')
  console.log('all went well')
}

main()
