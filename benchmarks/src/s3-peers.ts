import { execFileSync } from 'node:child_process'
import { createReadStream, existsSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { Operator } from 'opendal'
import { MiB, type Place } from './benchmark.js'
import { s3Of } from './s3-server.js'

export const OPENDAL = 'OpenDAL'
export const CLI = 'aws s3 cp'
/** Same size as our parts. */
const PART = 8 * MiB

/** OpenDAL's binding for Node has no option for concurrent requests: it sends one at a time. */
export function opendal(place: Place): Operator {
  const { bucket, endpoint, region, credentials } = s3Of(place)
  return new Operator('s3', {
    bucket,
    endpoint,
    region,
    access_key_id: credentials.accessKeyId,
    secret_access_key: credentials.secretAccessKey,
  })
}

export async function opendalUpload(place: Place, path: string, key: string): Promise<void> {
  const writer = await opendal(place).writer(key, { chunk: BigInt(PART) })
  for await (const chunk of createReadStream(path, { highWaterMark: PART })) await writer.write(chunk)
  await writer.close()
}

export async function opendalDownload(place: Place, key: string, path: string): Promise<void> {
  const reader = await opendal(place).reader(key)
  const file = await open(path, 'w')
  const buffer = Buffer.allocUnsafeSlow(PART)
  for (let count = await reader.read(buffer); count > 0n; count = await reader.read(buffer)) {
    await file.write(buffer, 0, Number(count))
  }
  await file.close()
}

/** Whether AWS's command line tool is installed here. */
export const hasCli = (process.env['PATH'] ?? '')
  .split(delimiter)
  .some((folder) => existsSync(join(folder, 'aws')))

export function cliCopy(place: Place, from: string, to: string): void {
  const { endpoint } = s3Of(place)
  const quiet = ['--endpoint-url', endpoint, '--only-show-errors']
  execFileSync('aws', ['s3', 'cp', from, to, ...quiet], { env: { ...process.env, ...place.s3 } })
}
