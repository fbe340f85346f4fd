// Upload a file.
//   npm run upload-file [path/to/a/file]
import { basename } from 'node:path'
import { connect } from '@ivcap/client'
import { inputPath } from './input.js'

// Without a deployment in the environment, this uses a folder on your disk: ./ivcap-artifacts
const ivcap = await connect()
const filePath = inputPath('reef-quadrat.png')

const artifact = await ivcap.uploadArtifact({
  name: basename(filePath),
  filePath,
  // Bytes that the backend has accepted. The number reaches the total only once, when all bytes are safely stored.
  onProgress: (accepted, total) => console.log(`  ${accepted} of ${total ?? '?'} bytes`),
})

// Keep the id: it finds the artifact again, in any process.
console.log(artifact.id)
console.log(artifact.name, artifact.mimeType, artifact.size, artifact.status)

await ivcap.close()
