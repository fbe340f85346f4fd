/**
 * A process that uploads a file when it is told to, and says the artifact's id: `node file-uploader.cjs <deployment> <state>
 * <file>`. The deployment is a folder of blobs, which remembers uploads as the platform and buckets do.
 */
import { once } from 'node:events'
import { writeSync } from 'node:fs'
import { fileBlobs } from '@ivcap/backend-local'
import { Ivcap } from '@ivcap/core'
import { blobBackend } from '@ivcap/core/engine'

const [dir = '', stateDir = '', filePath = ''] = process.argv.slice(2)
const ivcap = new Ivcap(blobBackend(fileBlobs({ dir })), { stateDir })
writeSync(1, 'ready\n')
await once(process.stdin, 'data')
const { id } = await ivcap.uploadArtifact({ filePath })
writeSync(1, `${id}\n`)
process.exit(0)
