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

// Most programs begin here: with an id that somebody gave them.
const artifact = await ivcap.getArtifact(id)

// 1. As a file of your own. The path only ever holds the whole, checked content; folders on the way are made.
const copy = await artifact.asLocalFile(join(tmpdir(), 'ivcap-examples', basename(filePath)))
console.log('a file of your own:', copy.path)
await rm(copy.path)

//    As a file to hand to another program, without caring where it is. dispose() removes it if it was a temporary copy;
//    in local mode it is the artifact's own file, and stays. With a compiler that knows it:
//    `await using file = await artifact.asLocalFile()` disposes at the end of the block.
const file = await artifact.asLocalFile()
console.log('a file to read:', file.path)
await file.dispose()

// 2. As a stream: any size, little memory. Leaving the loop early stops the download.
const hash = createHash('sha256')
for await (const chunk of artifact.asStream()) hash.update(chunk)
console.log('streamed, SHA-256:', hash.digest('hex'))

//    Only a part of it: the bytes from `start` up to, not including, `end`.
if ((artifact.size ?? 0) > 0) {
  let bytes = 0
  for await (const chunk of artifact.asStream({ range: { start: 0, end: 40 } })) bytes += chunk.byteLength
  console.log('only the start:', bytes, 'bytes')
}

// 3. Into memory, where it is small enough: a Blob; or bytes(), text(), json().
const blob = await artifact.blob()
console.log('a Blob:', blob.size, 'bytes of', blob.type)

await ivcap.close()
