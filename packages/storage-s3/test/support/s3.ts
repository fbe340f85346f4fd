import { randomBytes } from 'node:crypto'
import { CreateBucketCommand, DeleteObjectsCommand, S3Client } from '@aws-sdk/client-s3'
import { serverEnvironment } from '@ivcap/conformance/fault-proxy'
import { type S3Options, s3Blobs } from '../../src/index.js'

/** The server that tests run against: the one that the environment names, else a Ceph that is started for them. */
export interface Server {
  readonly endpoint: string
  readonly bucket: string
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
  readonly region: string
}

/** Undefined where there is none: nothing is named, and Ceph isn't installed. */
export async function s3Server(): Promise<Server | undefined> {
  const {
    IVCAP_TEST_S3_ENDPOINT: endpoint,
    IVCAP_TEST_S3_BUCKET: bucket = 'ivcap-tests',
    ...env
  } = process.env['IVCAP_TEST_S3_ENDPOINT'] ? process.env : await serverEnvironment('ceph')
  if (!endpoint) return undefined
  const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey = '' } = env
  const server = {
    endpoint,
    bucket,
    credentials: { accessKeyId, secretAccessKey },
    region: env['AWS_REGION'] || 'us-east-1',
  }
  await makeBucket(server)
  return server
}

/** There already is as good. */
async function makeBucket(server: Server): Promise<void> {
  const client = clientOf(server)
  await client.send(new CreateBucketCommand({ Bucket: server.bucket })).catch((error: unknown) => {
    if (!(error instanceof Error && /^BucketAlready/.test(error.name))) throw error
  })
  client.destroy()
}

/** A plain client of the SDK, to look at what is there. */
export const clientOf = ({ endpoint, credentials, region }: Server): S3Client =>
  new S3Client({ endpoint, credentials, region, forcePathStyle: true })

/** A place of its own on the server; its prefix is short, as the suite tries keys of nearly all the length there is. */
export const freshPlace = ({ endpoint, bucket, credentials, region }: Server) =>
  ({ endpoint, bucket, credentials, region, prefix: randomBytes(8).toString('hex') }) satisfies S3Options

/** Deletes all that is there, a thousand at a time: the server's room is small. */
export async function clearPlace(place: S3Options): Promise<void> {
  const blobs = s3Blobs(place)
  const { endpoint, bucket: Bucket, credentials, region, prefix } = place
  const client = new S3Client({
    forcePathStyle: true,
    ...(endpoint !== undefined && { endpoint }),
    ...(credentials !== undefined && { credentials }),
    ...(region !== undefined && { region }),
  })
  for (;;) {
    const { items, more } = await blobs.list({ prefix: '', limit: 1000 }, {})
    const Objects = items.map(({ key }) => ({ Key: `${prefix}/${key}` }))
    if (Objects.length > 0) await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }))
    if (!more) break
  }
  client.destroy()
  blobs.close()
}
