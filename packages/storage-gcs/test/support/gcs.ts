import { randomBytes } from 'node:crypto'
import { serverEnvironment } from '@ivcap/conformance/fault-proxy'
import { type GcsOptions, gcsBlobs } from '../../src/index.js'

/** The server that tests run against: the one that the environment names, else a fake-gcs-server that is started for them. */
export interface Server {
  readonly apiEndpoint: string
  /** Absent: each place gets a bucket of its own. */
  readonly bucket?: string
}

export type Place = GcsOptions & { readonly apiEndpoint: string; readonly prefix: string }

/** Undefined where there is none: nothing is named, and fake-gcs-server isn't installed. */
export async function gcsServer(): Promise<Server | undefined> {
  const { IVCAP_TEST_GCS_ENDPOINT: apiEndpoint, IVCAP_TEST_GCS_BUCKET: bucket } = process.env[
    'IVCAP_TEST_GCS_ENDPOINT'
  ]
    ? process.env
    : await serverEnvironment('gcs')
  return apiEndpoint ? { apiEndpoint, ...(bucket && { bucket }) } : undefined
}

/**
 * A place of its own on the server; its prefix is short, as the suite tries keys of nearly all the length there is. For every
 * request fake-gcs-server looks at all blobs of the bucket: in one bucket for all, tests get slower with each that has run.
 */
export async function freshPlace({ apiEndpoint, bucket }: Server): Promise<Place> {
  const name = randomBytes(8).toString('hex')
  return { apiEndpoint, bucket: bucket ?? (await makeBucket(apiEndpoint, `ivcap-${name}`)), prefix: name }
}

async function makeBucket(apiEndpoint: string, name: string): Promise<string> {
  const response = await fetch(`${apiEndpoint}/storage/v1/b?project=tests`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name }),
  })
  if (!response.ok) throw new Error(await response.text())
  return name
}

/** Deletes all that is there: the server keeps it in memory. */
export async function clearPlace(place: Place): Promise<void> {
  const blobs = gcsBlobs(place)
  for (;;) {
    const { items, more } = await blobs.list({ prefix: '', limit: 1000 }, {})
    await Promise.all(items.map(({ key }) => blobs.delete(key, {})))
    if (!more) break
  }
  blobs.close()
}
