import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import type { Place } from './benchmark.js'
import { holdServer } from './server.js'

/** The address of an S3 server, in the environment variables that SDKs and tools read. */
type S3Environment = Readonly<Record<string, string>>

export interface S3Server {
  readonly env: S3Environment
  stop(): Promise<void>
}

const BUCKET = 'benchmarks'

/** Starts Ceph's gateway over a store on disk, with a bucket. Returns undefined if it isn't installed. All contenders use it. */
export async function startS3(): Promise<S3Server | undefined> {
  const held = await holdServer('ceph', { OSD_STORE: 'bluestore' })
  if (held === undefined) return undefined
  const { IVCAP_TEST_S3_ENDPOINT: endpoint = '', ...credentials } = held.env
  const env = { ...credentials, AWS_ENDPOINT_URL: endpoint }
  await makeBucket(env)
  return { env, stop: held.stop }
}

async function makeBucket(env: S3Environment): Promise<void> {
  const client = clientOf({ s3: env })
  await client.send(new CreateBucketCommand({ Bucket: BUCKET }))
  client.destroy()
}

/** Returns bucket, endpoint, region and credentials, for clients that take them as options. */
export function s3Of({ s3 }: Pick<Place, 's3'>) {
  if (s3 === undefined) throw new Error('this benchmark needs an S3 server')
  return {
    bucket: BUCKET,
    endpoint: s3['AWS_ENDPOINT_URL'] ?? '',
    region: s3['AWS_REGION'] ?? '',
    credentials: {
      accessKeyId: s3['AWS_ACCESS_KEY_ID'] ?? '',
      secretAccessKey: s3['AWS_SECRET_ACCESS_KEY'] ?? '',
    },
  }
}

/** Returns the vendor's client, configured as its users configure it for a server of this kind. */
export function clientOf(place: Pick<Place, 's3'>): S3Client {
  const { endpoint, region, credentials } = s3Of(place)
  return new S3Client({
    endpoint,
    region,
    credentials,
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  })
}
