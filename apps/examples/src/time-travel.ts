// Time travel: reads earlier states. Nothing is ever deleted, so every earlier state can be read.
//   npm run time-travel [path/to/a/file]
import { basename } from 'node:path'
import { connect } from '@ivcap/client'
import { inputPath } from './input.js'

const ivcap = await connect()
const filePath = inputPath('reef-quadrat.png')
const artifact = await ivcap.uploadArtifact({ name: basename(filePath), filePath })

// Three updates of the same description. Each replaces the previous one.
const schema = 'urn:example:schema:bleaching.1'
const first = await ivcap.updateAspect(artifact.id, { score: 1, by: 'field team' }, { schema })
const second = await ivcap.updateAspect(artifact.id, { score: 3, by: 'model v1' }, { schema })
const third = await ivcap.updateAspect(artifact.id, { score: 2, by: 'reviewer' }, { schema })

// Without a time: the current state.
const [now] = await artifact.metadata({ schema }).toArray()
console.log('now:          ', JSON.stringify(now?.content))

// With a time: the state at that time. Times are UTC, to the microsecond, as a Date or an ISO 8601 text.
const { validFrom: then } = (await first.load()).record
const [before] = await artifact.metadata({ schema, atTime: then }).toArray()
console.log('at the start: ', JSON.stringify(before?.content))

const { validFrom: later } = (await second.load()).record
const [between] = await artifact.metadata({ schema, atTime: later }).toArray()
console.log('in between:   ', JSON.stringify(between?.content))

// The whole history, newest first: each record names the one that it replaces.
console.log('history:')
for await (const aspect of third.history()) {
  const until = aspect.record.validTo ?? 'now'
  console.log(
    `  ${aspect.record.validFrom} to ${until}: score ${aspect.content['score']} by ${aspect.content['by']}`,
  )
  if (aspect.id === first.id) break
}

await ivcap.close()
