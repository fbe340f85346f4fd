// Bytes straight to the bucket, records with the deployment that stands in front of the same bucket.
import { randomBytes } from 'node:crypto'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { platformBackend } from '@ivcap/backend-platform'
import { connect } from '@ivcap/client'
import { Ivcap } from '@ivcap/core'
import type { ArtifactStore, AspectStore, Backend } from '@ivcap/core/driver'
import { startPlatform } from '@ivcap/platform-server'
import { gcsArtifacts, gcsBackend } from '@ivcap/storage-gcs'
import { s3Artifacts, s3Backend } from '@ivcap/storage-s3'
import { describe, expect, onTestFinished, test } from 'vitest'
import { runScript } from './support/run-script.js'

interface Layout {
  readonly artifactKey?: (artifact: { readonly id: string }) => string | undefined
}

/** A fresh bucket. */
interface Bucket {
  readonly url: string
  /** For vendors' SDKs in another process. */
  readonly env: Record<string, string>
  backend(o: Layout): Backend
  artifacts(o: Layout & { readonly aspects: AspectStore }): ArtifactStore & { close(): Promise<void> }
}

/** Undefined where the server is not installed. */
async function serverOf(name: string): Promise<Record<string, string> | undefined> {
  const response = await fetch(`${process.env['IVCAP_TEST_SERVERS']}/${name}`)
  if (response.status === 404) return undefined
  if (!response.ok) throw new Error(await response.text())
  return Object(await response.json())
}

const prefix = 'data'
const freshName = () => `examples-${randomBytes(6).toString('hex')}`

async function s3Bucket({ IVCAP_TEST_S3_ENDPOINT: endpoint = '', ...keys }: Record<string, string>) {
  const bucket = freshName()
  const client = new S3Client({
    endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: {
      accessKeyId: keys['AWS_ACCESS_KEY_ID'] ?? '',
      secretAccessKey: keys['AWS_SECRET_ACCESS_KEY'] ?? '',
    },
  })
  onTestFinished(() => client.destroy())
  await client.send(new CreateBucketCommand({ Bucket: bucket }))
  return {
    url: `s3://${bucket}/${prefix}`,
    env: { ...keys, AWS_ENDPOINT_URL: endpoint },
    backend: (o) => s3Backend({ bucket, prefix, client, ...o }),
    artifacts: (o) => s3Artifacts({ bucket, prefix, client, ...o }),
  } satisfies Bucket
}

async function gcsBucket({ IVCAP_TEST_GCS_ENDPOINT: apiEndpoint = '' }: Record<string, string>) {
  const bucket = freshName()
  const made = await fetch(`${apiEndpoint}/storage/v1/b?project=tests`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: bucket }),
  })
  if (!made.ok) throw new Error(await made.text())
  return {
    url: `gs://${bucket}/${prefix}`,
    env: { STORAGE_EMULATOR_HOST: apiEndpoint },
    backend: (o) => gcsBackend({ bucket, prefix, apiEndpoint, ...o }),
    artifacts: (o) => gcsArtifacts({ bucket, prefix, apiEndpoint, ...o }),
  } satisfies Bucket
}

/** A deployment in front of a bucket, and what its API was asked. */
async function deployment(bucket: Bucket, layout: Layout = {}) {
  const asked: string[] = []
  const platform = await startPlatform({ backend: bucket.backend(layout), log: (line) => asked.push(line) })
  onTestFinished(() => platform.close())
  const outside = await connect({ url: platform.url, token: 'any', stateDir: false })
  return { url: platform.url, outside, asked }
}

const buckets = [
  { name: 'S3', server: await serverOf('ceph'), open: s3Bucket },
  { name: 'Google Cloud Storage', server: await serverOf('gcs'), open: gcsBucket },
]

describe.each(buckets)('$name', { timeout: 60_000 }, ({ server, open }) => {
  test.runIf(server)('the bytes pass the deployment by, both ways, and it knows the artifact', async () => {
    const bucket = await open(server ?? {})
    const { url, outside, asked } = await deployment(bucket)
    const { code, stdout, stderr } = await runScript('src/fast-path.ts', {
      env: { ...bucket.env, IVCAP_BASE_URL: url, IVCAP_BUCKET: bucket.url },
    })
    expect(code, stderr).toBe(0)
    expect(stdout).toContain('known by: urn:ivcap:schema.artifact.1')
    expect(stdout).toContain('known by: urn:example:schema:tags.1')
    expect(stdout).toMatch(/from others: urn:ivcap:artifact:\S+ bleached on the north side/)
    expect(asked.filter((line) => line.includes('/1/aspects'))).not.toEqual([])
    expect(asked.filter((line) => /GET \S*\/1\/artifacts\/\S+\/blob/.test(line))).toEqual([])

    const id = /in the bucket: (\S+)/.exec(stdout)?.[1] ?? ''
    expect(asked.filter((line) => line.includes(`/1/artifacts/${id}`))).toEqual([])
    const artifact = await outside.getArtifact(id)
    expect(artifact.name).toBe('reef-quadrat.png')
    expect(stdout).toContain(`read back: ${(await artifact.bytes()).byteLength} bytes`)
    expect(asked.filter((line) => /GET \S*\/1\/artifacts\/\S+\/blob/.test(line))).not.toEqual([])
  })

  test.runIf(server)('in a bucket that is laid out otherwise: both ways for who knows how', async () => {
    const bucket = await open(server ?? {})
    const artifactKey = ({ id }: { readonly id: string }) =>
      `blobs/${id.slice(-2)}/${id.split(':').at(-1)}.bin`
    const { url, outside } = await deployment(bucket, { artifactKey })
    const platform = platformBackend({ url })
    const inside = (layout: Layout) => {
      const artifacts = bucket.artifacts({ ...layout, aspects: platform.aspects })
      onTestFinished(() => artifacts.close())
      return new Ivcap({ ...platform, artifacts }, { stateDir: false })
    }
    const informed = inside({ artifactKey })

    const ours = await informed.uploadArtifact({ name: 'ours.txt', content: 'from the inside' })
    expect(await (await outside.getArtifact(ours.id)).text()).toBe('from the inside')
    const theirs = await outside.uploadArtifact({ name: 'theirs.txt', content: 'from the outside' })
    expect(await (await informed.getArtifact(theirs.id)).text()).toBe('from the outside')

    const uninformed = await inside({}).getArtifact(theirs.id)
    await expect(uninformed.text()).rejects.toMatchObject({
      code: 'integrity',
      message: expect.stringContaining('its bytes are not at artifacts/'),
    })
  })
})

test('without a bucket it says what to set', { timeout: 60_000 }, async () => {
  const { code, stderr } = await runScript('src/fast-path.ts')
  expect(code).toBe(1)
  expect(stderr).toContain('IVCAP_BUCKET')
})
