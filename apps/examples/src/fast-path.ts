// Inside a platform's network: bytes go straight to its bucket and from it, records stay with the platform.
//   IVCAP_BASE_URL=http://… IVCAP_BUCKET=platform-data/prefix npm run fast-path [path/to/a/file]
// The bucket's credentials, region and endpoint come from where the AWS SDK looks for them. For a bucket of Google Cloud Storage:
// gcsArtifacts of @ivcap/storage-gcs, with the same arguments.
import { basename } from 'node:path'
import { platformBackend } from '@ivcap/backend-platform'
import { Ivcap } from '@ivcap/core'
import { s3Artifacts } from '@ivcap/storage-s3'
import { inputPath } from './input.js'

const { IVCAP_BASE_URL: url, IVCAP_BUCKET: place } = process.env
if (!url || !place)
  throw new Error('set IVCAP_BASE_URL to a deployment, and IVCAP_BUCKET to its bucket/prefix')
const [bucket = '', ...prefix] = place.split('/')

const platform = platformBackend({ url })
const artifacts = s3Artifacts({ bucket, prefix: prefix.join('/'), aspects: platform.aspects })
const ivcap = new Ivcap({ ...platform, artifacts })

const filePath = inputPath('reef-quadrat.png')
const artifact = await ivcap.uploadArtifact({ name: basename(filePath), filePath, forceUpload: true })
await artifact.addMetadata({ $schema: 'urn:example:schema:tags.1', tags: ['coral'] })
console.log('in the bucket:', artifact.id)

// Who has no access to the bucket asks the deployment, whose records they are.
const elsewhere = new Ivcap(platform)
for await (const { schema } of elsewhere.listAspects({ entity: artifact.id }))
  console.log('known by:', schema)

const bytes = await artifact.bytes()
console.log('read back:', bytes.byteLength, 'bytes')

await artifacts.close()
await elsewhere.close()
