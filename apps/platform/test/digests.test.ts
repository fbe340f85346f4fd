import { createHash, randomBytes } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { artifactUrn } from '@ivcap/core/driver'
import { expect, it } from 'vitest'
import { backendOf, startPlatform } from '../src/index.js'
import { begin, patch, progress } from './support/client.js'
import { folder, started } from './support/server.js'

const MIB = 1024 * 1024
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const uuidIn = (id: string) => id.split(':').at(-1) ?? ''

it.each(['folder', 'memory'] as const)('an upload has a digest, kept in a %s or not', async (kind) => {
  const dir = await folder()
  const backend = backendOf(kind, dir)
  const { url } = await started({ dir, backend })
  for (const size of [0, 1, 5 * MIB]) {
    const bytes = new Uint8Array(randomBytes(size))
    const { id, href } = await begin(url, size)
    if (size > 0) expect((await patch(href, 0, bytes)).status).toBe(204)
    const record = await backend.artifacts.stat(artifactUrn(uuidIn(id)), {})
    expect(record).toMatchObject({ size, sha256: sha256(bytes) })
  }
})

it('one that came in pieces, to two servers, has the digest of the whole', async () => {
  const dir = await folder()
  const bytes = new Uint8Array(randomBytes(9 * MIB))
  const first = await startPlatform({ dir })
  const { id, href } = await begin(first.url, bytes.byteLength)
  await patch(href, 0, bytes.subarray(0, 3 * MIB))
  await patch(href, 3 * MIB, bytes.subarray(3 * MIB, 6 * MIB))
  await first.close()
  const { url } = await started({ dir })
  const there = href.replace(first.url, url)
  expect((await progress(there)).headers.get('upload-offset')).toBe(String(6 * MIB))
  expect((await patch(there, 6 * MIB, bytes.subarray(6 * MIB))).status).toBe(204)
  const { sha256: told } = await backendOf('folder', dir).artifacts.stat(artifactUrn(uuidIn(id)), {})
  expect(told).toBe(sha256(bytes))
})

it('bytes that have arrived are not copied: what was uploaded is the file that is stored', async () => {
  const dir = await folder()
  const { url } = await started({ dir })
  const { id, href } = await begin(url, 6)
  await patch(href, 0, 'abc')
  const { ino } = await stat(join(dir, 'uploads', uuidIn(id)))
  await patch(href, 3, 'def')
  const stored = join(dir, 'blobs', 'artifacts', uuidIn(id))
  expect(await stat(stored)).toMatchObject({ ino, size: 6, nlink: 1 })
})
