import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import type { Place } from './benchmark.js'

/** How an S3 server is reached, in the environment variables that SDKs and tools look at. */
type S3Environment = Readonly<Record<string, string>>

export interface S3Server {
  readonly env: S3Environment
  stop(): Promise<void>
}

const BUCKET = 'benchmarks'
const script = fileURLToPath(new URL('../../scripts/servers.mjs', import.meta.url))

/** Ceph's gateway over a store on the disk, with a bucket; undefined where it isn't installed. All contenders talk to this one. */
export async function startS3(): Promise<S3Server | undefined> {
  const { stdout } = await promisify(execFile)(process.execPath, [script, 'status', 'ceph'])
  if (stdout.includes('not installed')) return undefined
  const child = spawn(process.execPath, [script, 'hold', 'ceph'], {
    env: { ...process.env, OSD_STORE: 'bluestore' },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  const [line] = await Promise.race([once(createInterface(child.stdout), 'line'), ended])
  if (typeof line !== 'string') throw new Error('Ceph did not start')
  const told: Record<string, string> = JSON.parse(line)
  const { IVCAP_TEST_S3_ENDPOINT: endpoint = '', ...credentials } = told
  const env = { ...credentials, AWS_ENDPOINT_URL: endpoint }
  await makeBucket(env)
  return {
    env,
    async stop() {
      child.stdin.end()
      await ended
    },
  }
}

async function makeBucket(env: S3Environment): Promise<void> {
  const client = clientOf({ s3: env })
  await client.send(new CreateBucketCommand({ Bucket: BUCKET }))
  client.destroy()
}

/** Where the server is, for clients that are told. */
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

/** The vendor's client, as its users set it up for such a server. */
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
