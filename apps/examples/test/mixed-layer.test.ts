// How to test a service function: in memory, with nothing mocked. Each client has a place of its own, which nothing outlives.
import { memoryBackend } from '@ivcap/backend-memory'
import { Ivcap } from '@ivcap/core'
import { expect, test } from 'vitest'
import { mixedLayer } from '../src/mixed-layer.js'

const casts = [
  'cast,depth_m,temperature_c',
  ...['a,0,29.4', 'a,10,29.0', 'a,20,28.9', 'a,30,28.7', 'a,40,26.0'],
  ...['b,0,29.0', 'b,10,29.0', 'b,20,28.9'],
].join('\n')

test('finds the depth of the mixed layer of each cast', async () => {
  const ivcap = new Ivcap(memoryBackend())
  const input = await ivcap.uploadArtifact({ name: 'casts.csv', content: casts })

  const result = await mixedLayer(ivcap, input.id)

  expect(await result.json()).toEqual([{ cast: 'a', depth: 30 }, { cast: 'b' }])
  expect(result.mimeType).toBe('application/json')
  const [told] = await result.metadata({ schema: 'urn:example:schema:mixed-layer.1' }).toArray()
  expect(told?.content).toMatchObject({ source: input.id, casts: 2 })
})

test('a file without the columns is refused, and leaves no result', async () => {
  const ivcap = new Ivcap(memoryBackend())
  const input = await ivcap.uploadArtifact({ name: 'notes.txt', content: 'light swell' })

  await expect(mixedLayer(ivcap, input.id)).rejects.toThrow('no column cast')

  expect(await ivcap.listArtifacts().toArray()).toHaveLength(1)
})
