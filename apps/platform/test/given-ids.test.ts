import { join } from 'node:path'
import { fileBlobs } from '@ivcap/backend-local'
import { artifactUrn, contentSource } from '@ivcap/core/driver'
import { expect, it } from 'vitest'
import { backendOf } from '../src/index.js'
import { folder } from './support/server.js'

const id = artifactUrn('0b8f4c1e-6a5d-4f0e-9c1b-2d3e4f5a6b7c')
const draft = { id, mimeType: 'text/plain' }
const transfer = { retries: 0, retryDelay: 1 }

it('an artifact is stored under the id that it was promised', async () => {
  const { artifacts } = backendOf('folder', await folder())
  expect((await artifacts.create(contentSource('bytes'), draft, transfer)).id).toBe(id)
  expect(await artifacts.stat(id, {})).toMatchObject({ id, size: 5 })
})

it('a taken id stays as it is', async () => {
  const { artifacts } = backendOf('folder', await folder())
  await artifacts.create(contentSource('first'), draft, transfer)
  const again = artifacts.create(contentSource('second'), draft, transfer)
  await expect(again).rejects.toMatchObject({ code: 'already-exists', resource: id })
  expect((await artifacts.stat(id, {})).size).toBe(5)
})

it('what an interrupted call has left under the id gives way', async () => {
  const dir = await folder()
  const blobs = fileBlobs({ dir: join(dir, 'blobs') })
  const left = contentSource('half of i')
  await blobs.put('artifacts/0b8f4c1e-6a5d-4f0e-9c1b-2d3e4f5a6b7c', left, { ...transfer, mode: 'create' })
  const { artifacts } = backendOf('folder', dir)
  await artifacts.create(contentSource('all of it'), draft, transfer)
  const { body } = await artifacts.read(id, {})
  expect(await new Response(body).text()).toBe('all of it')
})
