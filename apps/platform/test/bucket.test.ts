import { randomUUID } from 'node:crypto'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { describe, expect, it, vi } from 'vitest'
import { parseCommand } from '../src/cli.js'
import { begin } from './support/client.js'
import { folder, started } from './support/server.js'

type Environment = Readonly<Record<string, string>>

const BUCKET = 'ivcap-platform-tests'

/** The environment of a real server, as its vendor's tools read it; undefined where none is installed. */
async function environmentOf(name: string): Promise<Environment | undefined> {
  const response = await fetch(`${process.env['IVCAP_TEST_SERVERS']}/${name}`)
  if (response.status === 404) return undefined
  const env: Record<string, string> = Object(await response.json())
  const { IVCAP_TEST_S3_ENDPOINT: s3 = '', IVCAP_TEST_GCS_ENDPOINT: gcs = '', ...credentials } = env
  return name === 'gcs' ? { STORAGE_EMULATOR_HOST: gcs } : { ...credentials, AWS_ENDPOINT_URL_S3: s3 }
}

async function makeS3Bucket(): Promise<void> {
  const client = new S3Client({ forcePathStyle: true })
  await client.send(new CreateBucketCommand({ Bucket: BUCKET })).catch(() => undefined)
  client.destroy()
}

async function makeGcsBucket({ STORAGE_EMULATOR_HOST: endpoint }: Environment): Promise<void> {
  const headers = { 'content-type': 'application/json' }
  await fetch(`${endpoint}/storage/v1/b?project=tests`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ name: BUCKET }),
  })
}

const buckets = [
  { scheme: 's3', env: await environmentOf('ceph'), make: makeS3Bucket },
  { scheme: 'gs', env: await environmentOf('gcs'), make: makeGcsBucket },
]

describe.each(buckets)('--backend $scheme://', ({ scheme, env, make }) => {
  it.skipIf(env === undefined)('stands in front of a bucket, which outlives it', async () => {
    for (const [name, value] of Object.entries(env ?? {})) vi.stubEnv(name, value)
    await make(env ?? {})
    const args = ['--backend', `${scheme}://${BUCKET}/${randomUUID()}`, '--dir', await folder()]
    const start = async () => {
      const command = await parseCommand(args, {})
      if (command === 'help') throw new Error('that is help')
      return started({ ...command.options, port: 0 })
    }

    const first = await start()
    const { id, href } = await begin(first.url, 5)
    const headers = { 'Tus-Resumable': '1.0.0', 'Upload-Offset': '0' }
    const body = { 'Content-Type': 'application/offset+octet-stream' }
    const sent = await fetch(href, { method: 'PATCH', headers: { ...headers, ...body }, body: 'coral' })
    expect(sent.status).toBe(204)
    await first.close()

    const second = await start()
    const record = await (await fetch(`${second.url}/1/artifacts/${id}`)).json()
    expect(record).toMatchObject({ id, status: 'ready', size: 5, 'mime-type': 'text/plain' })
    expect(await (await fetch(`${second.url}/1/artifacts/${id}/blob`)).text()).toBe('coral')
  })
})
