import { randomUUID } from 'node:crypto'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { expect, it, vi } from 'vitest'
import { commandOf } from '../src/cli.js'
import { begin } from './support/client.js'
import { folder, started } from './support/server.js'

const BUCKET = 'ivcap-platform-tests'

/** The environment of a real S3 server, as its vendor's tools read it; undefined where none is installed. */
async function s3Environment(): Promise<Readonly<Record<string, string>> | undefined> {
  const response = await fetch(`${process.env['IVCAP_TEST_SERVERS']}/ceph`)
  if (response.status === 404) return undefined
  const { IVCAP_TEST_S3_ENDPOINT: endpoint = '', ...env }: Record<string, string> = Object(
    await response.json(),
  )
  return { ...env, AWS_ENDPOINT_URL_S3: endpoint }
}

const env = await s3Environment()

it.skipIf(env === undefined)('stands in front of a bucket, which outlives it', async () => {
  for (const [name, value] of Object.entries(env ?? {})) vi.stubEnv(name, value)
  const client = new S3Client({ forcePathStyle: true })
  await client.send(new CreateBucketCommand({ Bucket: BUCKET })).catch(() => undefined)
  client.destroy()
  const args = ['--backend', `s3://${BUCKET}/${randomUUID()}`, '--dir', await folder()]
  const start = async () => {
    const command = await commandOf(args, {})
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
