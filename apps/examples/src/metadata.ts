// Metadata: describe an artifact in JSON that others can find.
//   npm run metadata [path/to/a/file]
import { basename } from 'node:path'
import { connect } from '@ivcap/client'
import { inputPath } from './input.js'

const ivcap = await connect()
const filePath = inputPath('reef-quadrat.png')
const artifact = await ivcap.uploadArtifact({ name: basename(filePath), filePath })

// An aspect is a JSON object that describes something. Its schema, a URN of your choice, names its kind.
// `addMetadata` adds an aspect to those that exist…
await artifact.addMetadata({ $schema: 'urn:example:schema:tags.1', tags: ['coral', 'quadrat'] })

// …`updateAspect` replaces the current aspect of the same schema.
const SITE = 'urn:example:schema:site.1'
await ivcap.updateAspect(artifact.id, { $schema: SITE, reef: 'Davies', depth: 9 })
await ivcap.updateAspect(artifact.id, { $schema: SITE, reef: 'Davies', depth: 8.5 })

console.log('what is said of it:')
for await (const aspect of artifact.metadata())
  console.log(' ', aspect.schema, JSON.stringify(aspect.content))

// The opposite query: what has a site? `%` matches any characters.
const sites = await ivcap.listAspects({ schema: 'urn:example:schema:site.%' }).toArray()
console.log('things with a site:', sites.length)

// Anything that has a URN can be described, not only artifacts.
const trip = await ivcap.addAspect(
  'urn:example:trip:2024-02',
  { vessel: 'RV Example' },
  { schema: 'urn:example:schema:trip.1' },
)

// Nothing is deleted. A retracted aspect is no longer current, but can still be read.
await trip.retract()
console.log('retracted at', trip.validTo?.toISOString())
console.log('still readable:', JSON.stringify((await ivcap.getAspect(trip.id)).content))

await ivcap.close()
