// Metadata: say what an artifact is, in JSON that others can find.
//   npm run metadata [path/to/a/file]
import { basename } from 'node:path'
import { connect } from '@ivcap/client'
import { inputPath } from './input.js'

const ivcap = await connect()
const filePath = inputPath('reef-quadrat.png')
const artifact = await ivcap.uploadArtifact({ name: basename(filePath), filePath })

// An aspect is a JSON object about something, of a kind that its schema names. The schema is a URN of your choice.
// `addMetadata` adds one beside those that are there…
await artifact.addMetadata({ $schema: 'urn:example:schema:tags.1', tags: ['coral', 'quadrat'] })

// …`updateAspect` puts one in the place of the current one of the same schema.
const SITE = 'urn:example:schema:site.1'
await ivcap.updateAspect(artifact.id, { $schema: SITE, reef: 'Davies', depth: 9 })
await ivcap.updateAspect(artifact.id, { $schema: SITE, reef: 'Davies', depth: 8.5 })

console.log('what is said of it:')
for await (const aspect of artifact.metadata())
  console.log(' ', aspect.schema, JSON.stringify(aspect.content))

// The other way round: which things have a site? `%` stands for any characters.
const sites = await ivcap.listAspects({ schema: 'urn:example:schema:site.%' }).toArray()
console.log('things with a site:', sites.length)

// Anything that has a URN can be described, not artifacts alone.
const trip = await ivcap.addAspect(
  'urn:example:trip:2024-02',
  { vessel: 'RV Example' },
  { schema: 'urn:example:schema:trip.1' },
)

// Nothing is deleted. A retracted aspect is no longer current, and still there for those who look back.
await trip.retract()
console.log('retracted at', trip.validTo?.toISOString())
console.log('still readable:', JSON.stringify((await ivcap.getAspect(trip.id)).content))

await ivcap.close()
