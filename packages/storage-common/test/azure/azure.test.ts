import { randomUUID } from 'node:crypto'
import { BlobServiceClient } from '@azure/storage-blob'
import { describeBlobStore } from '@ivcap/conformance'
import { bucketHarness } from '@ivcap/conformance/fault-proxy'
import { bucketBlobs, bucketSettings } from '../../src/index.js'
import { startAzurite } from './azurite.js'
import { azureDriver } from './driver.js'

const partSize = 256 << 10
const server = await startAzurite()
const service = new BlobServiceClient(server.url, server.credential)

describeBlobStore(
  'a container of Azure',
  bucketHarness({
    capabilities: { partSize },
    freshPlace: async () => {
      const container = `test-${randomUUID()}`
      await service.createContainer(container)
      return container
    },
    open: (bucket) => {
      const driver = azureDriver(server, bucket)
      return bucketBlobs(driver, bucketSettings({ bucket, prefix: 'p', partSize }, driver.parts))
    },
    clear: async (container) => void (await service.deleteContainer(container)),
  }),
)
