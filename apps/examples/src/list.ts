// List artifacts.
//   npm run list [path/to/a/file]
import { basename } from 'node:path'
import { connect } from '@ivcap/client'
import { inputPath } from './input.js'

const ivcap = await connect()

// Create something to list.
const filePath = inputPath('reef-quadrat.png')
await ivcap.uploadArtifact({ name: `list/${basename(filePath)}`, filePath })
await ivcap.uploadArtifact({
  name: 'list/site.json',
  content: '{"reef":"Davies"}',
  contentType: 'application/json',
})
await ivcap.uploadArtifact({ name: 'list/notes.txt', content: 'Visibility 12 m, light swell.' })

// By default, the newest ten. Pages are fetched when the loop needs them.
console.log('newest first:')
for await (const artifact of ivcap.listArtifacts()) {
  console.log(`  ${artifact.name}  ${artifact.size} bytes  ${artifact.mimeType}`)
}

// In another order, and only the first three. `limit: Infinity` lists all.
const byName = await ivcap.listArtifacts({ orderBy: 'name', orderDesc: false, limit: 3 }).toArray()
console.log('first three by name:', byName.map((artifact) => artifact.name).join(', '))

// Page by page, e.g. for a table with a "more" button.
for await (const page of ivcap.listArtifacts({ limit: 100 }).pages()) {
  console.log('a page of', page.length)
}

await ivcap.close()
