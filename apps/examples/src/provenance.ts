// Provenance: where an artifact comes from, and what it went into.
//   npm run provenance [path/to/a/file]
import { basename } from 'node:path'
import { connect } from '@ivcap/client'
import { inputPath } from './input.js'

const ivcap = await connect()
const filePath = inputPath('ctd-casts.csv')
const input = await ivcap.uploadArtifact({ name: basename(filePath), filePath })
const output = await ivcap.uploadArtifact({
  name: 'mixed-layer.json',
  content: '{"depth_m":34}',
  contentType: 'application/json',
})

// A platform records these two facts when a job reads or creates an artifact. Here no job runs, so this example records them
// itself: `order` is the job.
const order = 'urn:ivcap:job:00000000-0000-4000-8000-000000000001'
await input.addMetadata({ artifact: input.id, order }, { schema: 'urn:ivcap:schema.artifact-used-by-order' })
await output.addMetadata(
  { artifact: output.id, order },
  { schema: 'urn:ivcap:schema.artifact-produced-by-order' },
)

for (const artifact of [input, output]) {
  const { record, producedBy, usedBy } = await artifact.provenance()
  console.log(artifact.name)
  console.log('  uploaded   ', record?.createdAt, `${record?.size} bytes`)
  console.log('  produced by', producedBy.join(', ') || 'nobody: it was uploaded')
  console.log('  used by    ', usedBy.join(', ') || 'nobody yet')
}

// the whole lineage as a graph, here in the format of https://mermaid.js.org, which many Markdown viewers show
const { nodes, toMermaid } = await ivcap.lineage(output.id)
console.log('made of', nodes.length - 1, 'others:')
console.log(toMermaid())

await ivcap.close()
