// Inside a platform's network: transfers bytes directly to and from its bucket. The platform keeps the records.
//   IVCAP_BASE_URL=http://… IVCAP_BUCKET=s3://platform-data/prefix npm run fast-path [path/to/a/file]
// A bucket of Google Cloud Storage is a gs://… The vendors' SDKs find credentials, region and endpoint as usual.
import { basename } from 'node:path'
import { platformBackend } from '@ivcap/backend-platform'
import { Ivcap } from '@ivcap/core'
import { gcsArtifacts } from '@ivcap/storage-gcs'
import { s3Artifacts } from '@ivcap/storage-s3'
import { inputPath } from './input.js'

const { IVCAP_BASE_URL: url, IVCAP_BUCKET: place = '' } = process.env
const [, scheme, bucket, prefix = ''] = /^(s3|gs):\/\/([^/]+)\/?(.*)$/.exec(place) ?? []
if (!url || !bucket)
  throw new Error(
    'set IVCAP_BASE_URL to a deployment, and IVCAP_BUCKET to its bucket: s3://bucket/prefix or gs://…',
  )

const platform = platformBackend({ url })
const straight = { bucket, prefix, aspects: platform.aspects }
const artifacts = scheme === 'gs' ? gcsArtifacts(straight) : s3Artifacts(straight)
const ivcap = new Ivcap({ ...platform, artifacts })

const filePath = inputPath('reef-quadrat.png')
const artifact = await ivcap.uploadArtifact({ name: basename(filePath), filePath, forceUpload: true })
await artifact.addMetadata({ $schema: 'urn:example:schema:tags.1', tags: ['coral'] })
console.log('in the bucket:', artifact.id)

// Programs without access to the bucket use the deployment, which has the records.
const elsewhere = new Ivcap(platform)
for await (const { schema } of elsewhere.listAspects({ entity: artifact.id }))
  console.log('known by:', schema)

const bytes = await artifact.bytes()
console.log('read back:', bytes.byteLength, 'bytes')

// Content that others upload to the deployment is read from the bucket.
const theirs = await elsewhere.uploadArtifact({ name: 'note.txt', content: 'bleached on the north side' })
console.log('from others:', theirs.id, await (await ivcap.getArtifact(theirs.id)).text())

await artifacts.close()
await elsewhere.close()
