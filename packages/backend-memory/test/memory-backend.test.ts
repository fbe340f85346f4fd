import { existsSync } from 'node:fs'
import { contentSource } from '@ivcap/core/driver'
import { expect, it } from 'vitest'
import { memoryBackend } from '../src/index.js'

const transfer = { retries: 0, retryDelay: 1 }
const draft = { name: 'x', mimeType: 'text/plain' }

it('keeps each instance to itself, and off the disk', async () => {
  const [a, b] = [memoryBackend(), memoryBackend()]
  const made = await a.artifacts.create(contentSource('content'), draft, transfer)
  expect(await a.artifacts.stat(made.id, {})).toEqual(made)
  await expect(b.artifacts.stat(made.id, {})).rejects.toMatchObject({ code: 'not-found' })
  expect(a.artifacts.remembersUploads).toBe(false)
  expect(a.artifacts.localPath).toBeUndefined()
  expect(existsSync('/artifacts')).toBe(false)
})

it('takes the clock that it is given', async () => {
  const start = Date.UTC(2026, 0, 31) * 1000
  let now = start
  const backend = memoryBackend({ clock: () => now++ })
  const schema = 'urn:example:schema:tag.1'
  const record = await backend.aspects.assert(
    { entity: 'urn:example:a', schema, content: { $schema: schema } },
    'add',
    {},
  )
  expect(record.validFrom).toMatch(/^2026-01-31T00:00:00\.0000\d\dZ$/)
})
