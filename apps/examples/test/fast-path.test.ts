// Bytes straight to the bucket, records with the deployment that stands in front of the same bucket.
import { randomBytes } from 'node:crypto'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { connect } from '@ivcap/client'
import { startPlatform } from '@ivcap/platform-server'
import { s3Backend } from '@ivcap/storage-s3'
import { expect, onTestFinished, test } from 'vitest'
import { runScript } from './support/run-script.js'

const env = await environment()

/** Of the S3 server; undefined where none is installed. */
async function environment(): Promise<Record<string, string> | undefined> {
  const response = await fetch(`${process.env['IVCAP_TEST_SERVERS']}/ceph`)
  if (response.status === 404) return undefined
  if (!response.ok) throw new Error(await response.text())
  const { IVCAP_TEST_S3_ENDPOINT = '', ...credentials }: Record<string, string> = Object(
    await response.json(),
  )
  return { ...credentials, AWS_ENDPOINT_URL: IVCAP_TEST_S3_ENDPOINT }
}

/** A deployment in front of a fresh bucket, and what its API was asked. */
async function deployment(s3: Record<string, string>) {
  const bucket = `examples-${randomBytes(6).toString('hex')}`
  const client = new S3Client({
    endpoint: s3['AWS_ENDPOINT_URL'] ?? '',
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: {
      accessKeyId: s3['AWS_ACCESS_KEY_ID'] ?? '',
      secretAccessKey: s3['AWS_SECRET_ACCESS_KEY'] ?? '',
    },
  })
  await client.send(new CreateBucketCommand({ Bucket: bucket }))
  const asked: string[] = []
  const platform = await startPlatform({
    backend: s3Backend({ bucket, prefix: 'data', client }),
    log: (line) => asked.push(line),
  })
  onTestFinished(async () => {
    await platform.close()
    client.destroy()
  })
  return { bucket, platform, asked }
}

test.runIf(env)(
  'the bytes pass the deployment by, and it knows the artifact all the same',
  { timeout: 60_000 },
  async () => {
    const { bucket, platform, asked } = await deployment(env ?? {})
    const { code, stdout, stderr } = await runScript('src/fast-path.ts', {
      env: { ...env, IVCAP_BASE_URL: platform.url, IVCAP_BUCKET: `${bucket}/data` },
    })
    expect(code, stderr).toBe(0)
    expect(stdout).toContain('known by: urn:ivcap:schema.artifact.1')
    expect(stdout).toContain('known by: urn:example:schema:tags.1')
    expect(asked.filter((line) => line.includes('/1/aspects'))).not.toEqual([])
    expect(asked.filter((line) => line.includes('/1/artifacts'))).toEqual([])

    const id = /urn:ivcap:artifact:\S+/.exec(stdout)?.[0] ?? ''
    const outside = await connect({ url: platform.url, token: 'any', stateDir: false })
    const artifact = await outside.getArtifact(id)
    expect(artifact.name).toBe('reef-quadrat.png')
    expect(stdout).toContain(`read back: ${(await artifact.bytes()).byteLength} bytes`)
  },
)

test('without a bucket it says what to set', { timeout: 60_000 }, async () => {
  const { code, stderr } = await runScript('src/fast-path.ts')
  expect(code).toBe(1)
  expect(stderr).toContain('IVCAP_BUCKET')
})
