// Run a service function on your own machine. Its test, in memory, is ../test/mixed-layer.test.ts.
//   npm run service [path/to/casts.csv]
import { basename } from 'node:path'
import { connect } from '@ivcap/client'
import { inputPath } from './input.js'
import { mixedLayer } from './mixed-layer.js'

const ivcap = await connect()
const filePath = inputPath('ctd-casts.csv')
const casts = await ivcap.uploadArtifact({ name: basename(filePath), filePath })

const result = await mixedLayer(ivcap, casts.id)

console.log(result.id)
console.table(await result.json())

await ivcap.close()
