// Upload, run a service, download. The service is a function on your own machine, or runs on a deployment.
//   npm run service [path/to/casts.csv]
import { basename } from 'node:path'
import { connect } from '@ivcap/client'
import { inputPath } from './input.js'
import { services } from './services.js'

// a deployment has its own services: these functions are then ignored
const ivcap = await connect({ services })
const filePath = inputPath('ctd-casts.csv')
const casts = await ivcap.uploadArtifact({ name: basename(filePath), filePath })

const service = await ivcap.getServiceByName('mixed-layer')
console.log(`${service.name}: ${service.description}`)
const job = await service.requestJob({ casts: casts.id })
await job.wait()
console.log(job.status)

const result = await ivcap.getArtifact(String(job.result))
console.table(await result.json())
console.log('produced by', (await result.provenance()).producedBy.join(), 'from', casts.name)

await ivcap.close()
