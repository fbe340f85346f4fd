import { createHash } from 'node:crypto'
import { S3Client } from '@aws-sdk/client-s3'
import { ivcapErrorOf } from '@ivcap/conformance/fault-proxy'
import { contentSource } from '@ivcap/core/driver'
import { describe, expect, it } from 'vitest'
import { type Scripted, scripted } from './support/scripted.js'

const AGENT = 'ivcap-storage-s3'
const overwrite = { mode: 'overwrite', retries: 0 } as const
const agents = ({ seen }: Scripted) => seen.map(({ headers }) => headers['user-agent'] === AGENT)

describe('small requests', () => {
  it('go without the SDK once it has found the address, and are signed with their content', async () => {
    const bucket = await scripted()
    const blobs = bucket.blobs()
    for (const text of ['first', 'second']) await blobs.put('a b(1)', contentSource(text), overwrite)
    const { body } = await blobs.get('a b(1)', {})
    expect(await new Response(body).text()).toBe('second')
    // a GET that is answered with 200, not 206, is left to the SDK to read: one request all the same
    expect(agents(bucket)).toEqual([false, true, true])
    const { headers, url } = bucket.seen[1] ?? expect.unreachable()
    expect(url.pathname).toBe('/bucket/a%20b%281%29')
    expect(headers['x-amz-content-sha256']).toBe(createHash('sha256').update('second').digest('hex'))
    expect(headers['authorization']).toMatch(/^AWS4-HMAC-SHA256 Credential=a\//)
  })

  it('of a client that was given go through it', async () => {
    const bucket = await scripted()
    const client = new S3Client({
      endpoint: bucket.endpoint,
      region: 'us-east-1',
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
      forcePathStyle: true,
      maxAttempts: 1,
    })
    const blobs = bucket.blobs({ client })
    for (const text of ['first', 'second']) await blobs.put('key', contentSource(text), overwrite)
    expect(agents(bucket)).toEqual([false, false])
    client.destroy()
  })

  it('fail with what the credentials fail with, and go on when there are some again', async () => {
    let expired = false
    const credentials = async () => {
      if (expired) throw new Error('the session has ended')
      // asked for again each time
      return { accessKeyId: 'a', secretAccessKey: 'b', expiration: new Date(Date.now() + 1000) }
    }
    const bucket = await scripted()
    const blobs = bucket.blobs({ credentials })
    const put = () => blobs.put('key', contentSource('text'), overwrite)
    await put()
    expired = true
    expect((await ivcapErrorOf(put())).cause).toMatchObject({ message: 'the session has ended' })
    expired = false
    await put()
    expect(agents(bucket)).toEqual([false, true])
  })
})
