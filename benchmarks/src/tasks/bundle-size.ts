import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type Benchmark, type Sample, timed } from '../benchmark.js'

const script = fileURLToPath(new URL('../../scripts/bundle.mjs', import.meta.url))

const KB = 'KB gzipped'
const CORE = '@ivcap/core'
const CLIENT = '@ivcap/client: the platform'
const TUS = 'tus-js-client, which is in it'
const SDK = 'AWS SDK: S3Client, GetObject, PutObject'

/** Measures like `npm run size`, which has the same limits. */
async function bundle(source: string, folder: string): Promise<Sample> {
  let bytes = Number.NaN
  const ms = await timed(async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [script, source, folder])
    bytes = Number(stdout)
  })
  return { ms, counts: { [KB]: bytes / 1000 } }
}

export const bundleSize: Benchmark = {
  title: 'What a browser loads',
  chart: { measure: { count: KB } },
  measuresMemory: [],
  contenders: {
    [CORE]: () => bundle("export * from '@ivcap/core'", 'packages/core'),
    [CLIENT]: () => bundle("export * from '@ivcap/client'", 'packages/client'),
    [TUS]: () => bundle("export * from 'tus-js-client'", 'packages/backend-platform'),
    [SDK]: () =>
      bundle(
        "export { S3Client, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'",
        'packages/storage-s3',
      ),
  },
  goals: [
    { what: `${KB} of @ivcap/core`, limit: 25, sense: 'at most', value: (f) => f.count(CORE, KB) },
    { what: `${KB} of @ivcap/client`, limit: 60, sense: 'at most', value: (f) => f.count(CLIENT, KB) },
  ],
}
