import { type Bucket, Storage } from '@google-cloud/storage'
import type { Place } from './benchmark.js'
import { holdServer } from './server.js'

export interface GcsServer {
  readonly endpoint: string
  stop(): Promise<void>
}

const BUCKET = 'benchmarks'

/** Starts fake-gcs-server with a bucket. Returns undefined if it isn't installed. All contenders use this server. */
export async function startGcs(): Promise<GcsServer | undefined> {
  const held = await holdServer('gcs')
  if (held === undefined) return undefined
  const { IVCAP_TEST_GCS_ENDPOINT: endpoint = '' } = held.env
  await bucketOf({ gcs: endpoint }).create()
  return { endpoint, stop: held.stop }
}

/** Returns the bucket and the endpoint, for clients that take them as options. */
export function gcsOf({ gcs }: Pick<Place, 'gcs'>) {
  if (gcs === undefined) throw new Error('this benchmark needs a server for Google Cloud Storage')
  return { bucket: BUCKET, apiEndpoint: gcs }
}

/** Returns the bucket, as an object of the vendor's own client. */
export function bucketOf(place: Pick<Place, 'gcs'>): Bucket {
  const { bucket, apiEndpoint } = gcsOf(place)
  return new Storage({ apiEndpoint, projectId: 'benchmarks' }).bucket(bucket)
}
