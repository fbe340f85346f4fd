import { ListMultipartUploadsCommand } from '@aws-sdk/client-s3'
import { type Fault, type FaultProxy, faultProxy, type Plan } from '@ivcap/conformance/fault-proxy'
import { onTestFinished } from 'vitest'
import { type S3Blobs, type S3Options, s3Blobs } from '../../src/index.js'
import { clearPlace, clientOf, freshPlace, type Server } from './s3.js'

export const MiB = 1024 * 1024

export interface Proxied {
  /** By way of the proxy. */
  readonly blobs: S3Blobs
  /** The same place, by the direct way. */
  readonly direct: S3Blobs
  readonly proxy: FaultProxy
  /** Uploads that were begun there, and neither completed nor abandoned. */
  unfinished(): Promise<number>
}

/** A fresh place on the server, with a proxy before it that does what the plan says. */
export async function proxied(server: Server, plan?: Plan, o: Partial<S3Options> = {}): Promise<Proxied> {
  const proxy = await faultProxy(server.endpoint, plan)
  const place = { ...freshPlace(server), partSize: 5 * MiB, ...o }
  const blobs = s3Blobs({ ...place, endpoint: proxy.url })
  const direct = s3Blobs(place)
  const client = clientOf(server)
  onTestFinished(async () => {
    blobs.close()
    direct.close()
    client.destroy()
    await clearPlace(place)
  })
  const unfinished = async () => {
    const request = new ListMultipartUploadsCommand({ Bucket: place.bucket, Prefix: place.prefix })
    return (await client.send(request)).Uploads?.length ?? 0
  }
  return { blobs, direct, proxy, unfinished }
}

/** What S3 answers when something is wrong. */
export const refusal = (status: number, code: string, more = ''): Fault & { kind: 'status' } => ({
  kind: 'status',
  status,
  headers: { 'content-type': 'application/xml' },
  body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>as the test has it</Message>${more}</Error>`,
})
