import { randomUUID } from 'node:crypto'
import { BlobServiceClient } from '@azure/storage-blob'
import { describeBlobStore } from '@ivcap/conformance'
import { type BucketBlobs, bucketBlobs, bucketSettings } from '../../src/index.js'
import { startAzurite } from './azurite.js'
import { azureDriver } from './driver.js'

const partSize = 256 << 10
const server = await startAzurite()
const service = new BlobServiceClient(server.url, server.credential)

let container = ''
const reopen = async (): Promise<BucketBlobs> => {
  const driver = azureDriver(server, container)
  return bucketBlobs(driver, bucketSettings({ bucket: container, prefix: 'p', partSize }, driver.parts))
}

describeBlobStore('a container of Azure', {
  capabilities: { partSize },
  open: async () => {
    container = `test-${randomUUID()}`
    await service.createContainer(container)
    return await reopen()
  },
  reopen,
  close: async () => void (await service.deleteContainer(container)),
})
