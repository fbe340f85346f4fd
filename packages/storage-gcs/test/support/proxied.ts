import { type Fault, type FaultProxy, faultProxy, type Plan } from '@ivcap/conformance/fault-proxy'
import { onTestFinished } from 'vitest'
import { type GcsBlobs, type GcsOptions, gcsBlobs } from '../../src/index.js'
import { freshPlace, type Server } from './gcs.js'
import { mended, type Quirks } from './mended.js'

export const KiB = 1024
export const PART = 256 * KiB

export interface Proxied {
  /** By way of the proxy. */
  readonly blobs: GcsBlobs
  /** The same place, by the direct way. */
  readonly direct: GcsBlobs
  readonly proxy: FaultProxy
  /** Uploads that were begun there, and neither completed nor abandoned. */
  unfinished(): number
  readonly bucket: string
  readonly prefix: string
}

/** A fresh place on the server, with a proxy before it that does what the plan says. */
export async function proxied(
  server: Server,
  plan?: Plan,
  { quirks, ...o }: Pick<GcsOptions, 'partSize' | 'concurrency'> & { readonly quirks?: Quirks } = {},
): Promise<Proxied> {
  const good = await mended(server.apiEndpoint, quirks)
  const proxy = await faultProxy(good.url, plan)
  const place = { ...(await freshPlace(server)), partSize: PART, ...o }
  const blobs = gcsBlobs({ ...place, apiEndpoint: proxy.url })
  const direct = gcsBlobs(place)
  onTestFinished(() => {
    blobs.close()
    direct.close()
  })
  return { ...place, blobs, direct, proxy, unfinished: () => good.unfinished }
}

/** What the server answers when something is wrong. */
export const refusal = (
  status: number,
  reason: string,
  message = 'as the test has it',
): Fault & { kind: 'status' } => ({
  kind: 'status',
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ error: { code: status, message, errors: [{ reason, message }] } }),
})
