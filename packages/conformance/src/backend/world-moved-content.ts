import { readFile } from 'node:fs/promises'
import { type Artifact, Ivcap } from '@ivcap/core'
import type { ArtifactRecord } from '@ivcap/core/driver'
import { describe, expect, it } from 'vitest'
import { expectBytes, MiB, someBytes } from '../support/bytes.js'
import { fileOf } from '../support/files.js'
import type { BackendPlace } from './place.js'

const ways: readonly [string, (artifact: Artifact) => Promise<Uint8Array>][] = [
  ['bytes()', (artifact) => artifact.bytes()],
  ['text()', async (artifact) => new TextEncoder().encode(await artifact.text())],
  ['blob()', async (artifact) => new Uint8Array(await (await artifact.blob()).arrayBuffer())],
  ['asStream()', async (artifact) => new Uint8Array(await new Response(artifact.asStream()).arrayBuffer())],
  [
    'asLocalFile()',
    async (artifact) => {
      const { path } = await artifact.asLocalFile(await fileOf(new Uint8Array(0)))
      return new Uint8Array(await readFile(path))
    },
  ],
]

/** Reads follow the response, even if an older record differs from it: nothing is padded, cut or guessed. */
export function worldMovedContent(place: BackendPlace): void {
  const client = (backend = place.at) => new Ivcap(backend, { stateDir: false })
  const text = (size: number, letter: string) => new Uint8Array(size).fill(letter.charCodeAt(0))
  const store = (content: Uint8Array) =>
    client().uploadArtifact({ name: 'reef.txt', content: content.slice(), contentType: 'text/plain' })

  describe.each(ways)('a handle older than its content: %s', (_, read) => {
    it.each([
      ['shorter', 50],
      ['longer', 500],
      ['empty', 0],
      ['much longer', 2 * MiB + 7],
    ])('%s content was stored under the same name', async (_, size) => {
      const old = text(100, 'x')
      const stored = text(size, 'y')
      const handle = await store(old)
      await store(stored)
      // If names are paths, the second upload has replaced the content of this id; otherwise ids never change their content.
      const expected = place.capabilities.ids === 'path' ? stored : old
      expectBytes(await read(handle), expected)
      expect(handle.size).toBe(expected.byteLength)
    })

    it.each([0, 1, 99, 101, 3 * MiB, 2 ** 50, undefined])('its record says %s bytes', async (size) => {
      const content = text(100, 'x')
      const { id } = await store(content)
      const { artifacts } = place.at
      const outdated = ({ size: _, ...record }: ArtifactRecord): ArtifactRecord => ({
        ...record,
        ...(size !== undefined && { size }),
      })
      const { localPath: _, ...others } = artifacts
      const backend = {
        ...place.at,
        artifacts: {
          ...others,
          stat: async (...of: Parameters<typeof artifacts.stat>) => outdated(await artifacts.stat(...of)),
        },
      }
      const handle = await client(backend).getArtifact(id)
      expect(handle.size).toBe(size)
      expectBytes(await read(handle), content)
      expect(handle.size).toBe(100)
    })
  })

  it('a range is one of the content as it is, whatever the record said', async () => {
    const handle = await store(someBytes(100))
    const stored = someBytes(1000, 2)
    const { id } = await store(stored)
    const current = place.capabilities.ids === 'path' ? handle : await client().getArtifact(id)
    const stream = current.asStream({ range: { start: 500, end: 600 } })
    expectBytes(new Uint8Array(await new Response(stream).arrayBuffer()), stored.slice(500, 600))
  })
}
