// Collections: named sets of artifacts, or of anything else that has a URN.
//   npm run collections [path/to/a/file]
import { basename } from 'node:path'
import { connect } from '@ivcap/client'
import { inputPath } from './input.js'

const ivcap = await connect()
const line = await ivcap.createCollection({ name: 'Line 7', description: 'CTD casts of 2026' })

// an upload can be added to a collection at once; anything that has a URN can be added
const filePath = inputPath('ctd-casts.csv')
const casts = await ivcap.uploadArtifact({ name: basename(filePath), filePath, collection: line.id })
const station = 'urn:example:station:7-01'
await line.add(station)

for await (const { id, name, description } of ivcap.listCollections()) {
  console.log(`${name} (${description}) ${id}`)
}
const items = await line.items().toArray()
console.log(`holds ${items.length}:`, items.map(({ item }) => item).join(', '))

console.log('taken out:', await line.remove(casts.id))
console.log('still there:', (await ivcap.getArtifact(casts.id)).name)

// nothing is deleted: the earlier items can still be read as of an earlier time
console.log('retracted:', await line.retract(), 'aspects')

await ivcap.close()
