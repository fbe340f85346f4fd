// Download, in three ways: as a file, as a stream, into memory.
//   npm run download [path/to/a/file]
import { createHash } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { connect } from '@ivcap/client'
import { inputPath } from './input.js'

const ivcap = await connect()
const filePath = inputPath('ctd-casts.csv')
const { id } = await ivcap.uploadArtifact({ name: basename(filePath), filePath })

// Most programs start here, with an id that they received.
const artifact = await ivcap.getArtifact(id)

// 1. As a file of your own. The path never contains partial or unchecked content. Missing folders are created.
const copy = await artifact.asLocalFile(join(tmpdir(), 'ivcap-examples', basename(filePath)))
console.log('a file of your own:', copy.path)
await rm(copy.path)

//    As a file for another program, at any path. dispose() removes it if it was a temporary copy; in local mode it is the
//    artifact's own file, and stays. With a compiler that supports it:
//    `await using file = await artifact.asLocalFile()` disposes at the end of the block.
const file = await artifact.asLocalFile()
console.log('a file to read:', file.path)
await file.dispose()

// 2. As a stream: any size, little memory. Leaving the loop early stops the download.
const hash = createHash('sha256')
for await (const chunk of artifact.asStream()) hash.update(chunk)
console.log('streamed, SHA-256:', hash.digest('hex'))

//    Only a part of it: the bytes from `start`, before `end`.
if ((artifact.size ?? 0) > 0) {
  let bytes = 0
  for await (const chunk of artifact.asStream({ range: { start: 0, end: 40 } })) bytes += chunk.byteLength
  console.log('only the start:', bytes, 'bytes')
}

// 3. Into memory, if it is small enough: a Blob; or bytes(), text(), json().
const blob = await artifact.blob()
console.log('a Blob:', blob.size, 'bytes of', blob.type)

await ivcap.close()
