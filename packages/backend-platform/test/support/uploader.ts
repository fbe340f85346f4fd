/** A process that uploads a file and says how far it is: `node uploader.mjs URL TOKEN FILE STATE_DIR`. */
import { Ivcap } from '@ivcap/core'
import { platformBackend } from '../../src/index.js'

const [url = '', token = '', filePath = '', stateDir = ''] = process.argv.slice(2)
const ivcap = new Ivcap(platformBackend({ url, token, stateDir }), { stateDir })
const { id } = await ivcap.uploadArtifact({
  filePath,
  name: 'reef.bin',
  retryDelay: 50,
  retries: 10,
  onProgress: (accepted) => process.stdout.write(`${accepted}\n`),
})
process.stdout.write(`${id}\n`)
