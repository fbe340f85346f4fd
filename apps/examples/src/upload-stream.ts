// Upload a stream: content that is not a file (yet), and whose size is not known in advance.
//   npm run upload-stream [path/to/a/file]
import { createReadStream } from 'node:fs'
import { basename } from 'node:path'
import { connect } from '@ivcap/client'
import { inputPath } from './input.js'

const ivcap = await connect()

/** An instrument that is lowered into the sea, and reports a line every 5 m. */
async function* castInProgress() {
  yield 'depth_m,temperature_c\n'
  for (let depth = 0; depth <= 100; depth += 5) {
    const temperature = depth < 40 ? 28.9 : 28.9 - (depth - 40) * 0.08
    yield `${depth},${temperature.toFixed(2)}\n`
  }
}

// Any source of bytes works: a web stream, a Node stream, a Blob, an (async) generator. It is read only as fast as the backend
// accepts the bytes, and is never held in memory as a whole.
const own = process.argv[2] !== undefined
const filePath = inputPath('ctd-casts.csv')

const artifact = await ivcap.uploadArtifact({
  name: own ? basename(filePath) : 'cast-in-progress.csv',
  content: own ? createReadStream(filePath, { highWaterMark: 1024 * 1024 }) : castInProgress(),
  contentType: own ? 'application/octet-stream' : 'text/csv',
  onProgress: (accepted) => console.log(`  ${accepted} bytes so far`),
})

console.log(artifact.id)
console.log(`${artifact.size} bytes, SHA-256 ${artifact.sha256}`)

await ivcap.close()
